"""Chapter 8: whether a model that aligns one domain aligns the others, and whether a correction does."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from xlutils.chapters.atlas import first_texts
from xlutils.chapters.atlas_values import encode_all
from xlutils.chapters.few_shot import interval_over_draws
from xlutils.chapters.map_ways import CENTRED, Floats, Numbers, Side, mapped, measured
from xlutils.datasets.files import content_hash
from xlutils.datasets.lexicon import load_lexicon
from xlutils.datasets.parallel import load_parallel
from xlutils.datasets.sentences import load_sentences
from xlutils.errors import XlError, unknown
from xlutils.metrics.maps import Method, fit_map
from xlutils.metrics.pools import first_in_pool
from xlutils.metrics.ranking import gold_ranks
from xlutils.models.encoder import Encoder
from xlutils.results.record import Record, describe_model
from xlutils.results.rows import metric_table

DOMAINS = ("names", "law", "news", "encyclopedic", "software")  # that corrections are fitted on
POOLS = (25, 200)  # candidates; the Declaration has 30 articles
HALF_POOLS = (12, 100)  # from the texts that a correction was not fitted on
MOST = 240  # texts of a domain
SIZES = (12, 100)  # pairs that a correction is fitted on
WAYS: tuple[Method, ...] = ("shift", "ridge-shrunk")
_QUESTIONS = {  # data, its languages, and the name of its short texts
    "encyclopedic": ("xquad", {"en", "ar", "de", "es", "th", "vi", "zh"}, "questions"),
    "software": ("debian", {"en", "de", "es", "fr", "it", "ja", "ko", "ru"}, "summaries"),
}


class Domain(NamedTuple):
    """Parallel texts by language, "" where there is none, and the role in which they are encoded."""

    texts: Mapping[str, Sequence[str]]
    role: str


class _Part(NamedTuple):
    """Texts in a language and the pivot that are compared: their vectors, halves of them, and lengths."""

    sides: Side
    half: Numbers
    lengths: Floats


def load_domains(languages: Sequence[str], names: Sequence[str] = DOMAINS) -> dict[str, Domain]:
    """Load texts of several domains, each in those of some languages that it has.

    "names" are those of the lexicon cldr, "law" is udhr, "news" sib200, whole and by topic, "encyclopedic" are the
    passages of xquad, and "software" the descriptions of debian, each with the questions or summaries on them.
    """
    domains = {}
    for name in names:
        if name in _QUESTIONS:
            source, known, short = _QUESTIONS[name]
            parallel = load_parallel(source, [code for code in languages if code in known])
            firsts = np.unique(parallel.gold, return_index=True)[1]  # a question on each passage
            domains[name] = Domain(parallel.passages, "passage")
            questions = {code: [texts[row] for row in firsts] for code, texts in parallel.queries.items()}
            domains[short] = Domain(questions, "query")
        elif name == "news":
            data = load_sentences("sib200", languages)
            domains[name] = Domain(data.texts, "query")
            for topic in sorted({*data.topics}):
                rows = [row for row, about in enumerate(data.topics) if about == topic]
                domains[f"news on {topic.replace('/', ' and ')}"] = Domain(data.take(rows).texts, "query")
        elif name in DOMAINS:
            columns = first_texts(load_lexicon("cldr") if name == "names" else load_sentences("udhr"))
            texts = {code: column for code, column in columns.items() if code in languages}
            domains[name] = Domain(texts, "word" if name == "names" else "query")
        else:
            raise unknown("domain", name, DOMAINS)
    return domains


def study_domains(
    encoder: Encoder,
    domains: Mapping[str, Domain],
    pivot: str = "en",
    seed: int = 42,
    draws: int = 5,
    sizes: Sequence[int] = SIZES,
    ways: Sequence[Method] = WAYS,
) -> Record:
    """Measure how well languages are aligned with the pivot in each domain, and what corrections of one do to others.

    "accuracy/25" is the share of texts that find their translation first among 25 candidates, and are found by it, over
    all pools that can be drawn from the texts of the domain; "accuracy/200" likewise, if there are as many texts. Texts
    are compared that differ from their translation and from all others. A correction is fitted on texts of one half of
    a domain and tested on the other half of every domain, and the halves change places. "accuracy/half" is about pools
    of 100 from such a half, or of 12 where there are fewer texts; "gain" is its paired change.

    :return: Metrics by language: "accuracy/25", in the states of the domains, "accuracy/half", also after centring,
        "characters", the length of a text, and "gain", in states such as "names, centred" and "shift, 12 names on law".
    :raises XlError: If a domain lacks the pivot, or nothing can be compared.
    """
    for name, domain in domains.items():
        if pivot not in domain.texts:
            raise XlError(f"the domain {name} has no texts in {pivot}; choose another pivot")
    started = time.perf_counter()
    spaces = {name: encode_all(encoder, domain.texts, domain.role) for name, domain in domains.items()}
    encoded = time.perf_counter()
    rows: dict[str, list[dict[str, Any]]] = {}
    for code in dict.fromkeys(code for domain in domains.values() for code in domain.texts if code != pivot):
        shared = {name: domain for name, domain in domains.items() if code in domain.texts}
        parts = {name: _part(domain.texts, spaces[name], code, pivot, seed) for name, domain in shared.items()}
        parts = {name: part for name, part in parts.items() if len(part.half) >= POOLS[0]}
        if parts:
            key = {"kind": "language", "language": code}
            rows[code] = [{**key, **row} for row in _rows(parts, sizes, ways, draws, seed)]
    if not rows:
        raise XlError(f"no domain has {POOLS[0]} texts that differ between {pivot} and another language")
    params = {"pivot": pivot, "seed": seed, "draws": draws, "mapped": [*rows], "pools": [*POOLS], "most": MOST}
    texts = {name: {code: [*column] for code, column in domain.texts.items()} for name, domain in domains.items()}
    size = sum(len(domain.texts[pivot]) for name, domain in domains.items() if name in DOMAINS)
    about = {"name": "domains", "sha256": content_hash(texts), "languages": [pivot, *rows], "size": size}
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    table = metric_table([*itertools.chain(*rows.values())])
    return Record("production", describe_model(encoder), about, params, table, seconds, variant="domains")


def _part(
    texts: Mapping[str, Sequence[str]], spaces: Mapping[str, np.ndarray], code: str, pivot: str, seed: int
) -> _Part:
    """Return the texts to compare; halves are the same in domains with the same number of texts."""
    seen: dict[str, set[str]] = {code: set(), pivot: set()}
    kept: list[tuple[int, int]] = []
    for place, row in enumerate(np.random.default_rng(seed).permutation(len(texts[pivot]))):
        pair = {side: texts[side][row].casefold() for side in seen}
        is_new = all(text and text not in seen[side] for side, text in pair.items())
        if is_new and pair[code] != pair[pivot] and len(kept) < MOST:
            kept.append((row, place % 2))
            for side, text in pair.items():
                seen[side].add(text)
    rows, half = np.array(kept, np.int64).reshape(-1, 2).T
    lengths = np.array([len(texts[code][row]) for row in rows], float)
    return _Part((spaces[code][rows], spaces[pivot][rows]), half, lengths)


def _fitted(part: _Part, half: int, size: int, seed: list[int]) -> Side:
    rows = np.random.default_rng(seed).permutation(np.flatnonzero(part.half == half))[:size]
    return part.sides[0][rows], part.sides[1][rows]


def _first(sides: Side, pool: int) -> Floats:
    """Return how often texts find their translation first in a pool, and are found by it."""
    rows = np.arange(len(sides[0]))
    ranks = [gold_ranks(asked, searched, rows) for asked, searched in (sides, sides[::-1])]
    return np.asarray(np.mean([first_in_pool(one, len(rows), pool) for one in ranks], axis=0))


def _tested(part: _Part, moved: Sequence[Side], pool: int) -> Floats:
    """Return the values of the half 1 in the first of two spaces, and of the half 0 in the second one.

    Texts that a correction was fitted on are no candidates: it moves them onto their translations.

    :param moved: All vectors, after a correction that was fitted on the half 0, and one on the half 1.
    """
    values = np.zeros(len(part.half))
    for half, (here, there) in enumerate(moved[::-1]):
        rows = part.half == half
        values[rows] = _first((here[rows], there[rows]), pool)
    return values


def _rows(
    parts: Mapping[str, _Part], sizes: Sequence[int], ways: Sequence[Method], draws: int, seed: int
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one language."""
    for name, part in parts.items():
        yield {"metric": "characters", **measured(part.lengths, seed), "state": name}
        for pool in (pool for pool in POOLS if pool <= len(part.half)):
            yield {"metric": f"accuracy/{pool}", **measured(_first(part.sides, pool), seed), "state": name}
    least = {name: min(np.bincount(part.half, minlength=2)) for name, part in parts.items() if name in DOMAINS}
    fitting = {name: parts[name] for name, count in least.items() if count >= HALF_POOLS[0]}
    pools = {name: max(pool for pool in HALF_POOLS if pool <= least[name]) for name in fitting}
    before = {name: _tested(part, [part.sides] * 2, pools[name]) for name, part in fitting.items()}
    for name, part in fitting.items():
        centred = [mapped(CENTRED, _fitted(part, half, MOST, [seed]), part.sides) for half in (0, 1)]
        after = _tested(part, centred, pools[name])
        for state, accuracy in ((name, before[name]), (f"{name}, centred", after)):
            yield {"metric": "accuracy/half", **measured(accuracy, seed), "state": state}
        yield {"metric": "gain", **measured(after - before[name], seed), "state": f"{name}, centred"}
    for source, size, way in itertools.product(fitting, sizes, ways):
        if size <= least[source]:
            tries: dict[str, list[Floats]] = {target: [] for target in fitting}
            for draw in range(draws):
                maps = [fit_map(*_fitted(parts[source], half, size, [seed, draw]), way, seed) for half in (0, 1)]
                for target, values in tries.items():
                    here, there = parts[target].sides
                    moved = [(one.apply(here), there) for one in maps]
                    values.append(_tested(parts[target], moved, pools[target]) - before[target])
            for target, values in tries.items():
                low, high = interval_over_draws(np.stack(values), seed)
                state = f"{way}, {size} {source} on {target}"
                yield {"metric": "gain", "value": np.mean(values), "low": low, "high": high, "state": state}
