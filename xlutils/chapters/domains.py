"""Chapter 8: whether a model that aligns one domain aligns the others, and whether a correction does."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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

DOMAINS = ("names", "law", "news", "encyclopedic", "software")
SHORT = {"encyclopedic": "questions", "software": "summaries"}  # shorter texts of the same domain
POOLS = (25, 200)  # candidates; the Declaration has 30 articles
MOST = 240  # texts of a domain
SIZES = (12, 100)  # pairs that a correction is fitted on
WAYS: tuple[Method, ...] = ("shift", "ridge-shrunk")
_SOURCES = {
    "encyclopedic": ("xquad", {"en", "ar", "de", "es", "th", "vi", "zh"}),
    "software": ("debian", {"en", "de", "es", "fr", "it", "ja", "ko", "ru"}),
}


@dataclass(frozen=True, eq=False)
class Domain:
    """Parallel texts of one kind.

    :param texts: By language; "" where there is none.
    :param role: How they are encoded.
    :param fits: Whether corrections are fitted on it and tested on it.
    """

    texts: Mapping[str, Sequence[str]]
    role: str
    fits: bool = True


def load_domains(languages: Sequence[str], names: Sequence[str] = DOMAINS) -> dict[str, Domain]:
    """Load texts of several domains, each in those of some languages that it has.

    "names" are those of the lexicon cldr, "law" is udhr, "news" sib200, whole and by topic, "encyclopedic" are the
    passages of xquad, and "software" the descriptions of debian, each with the questions or summaries on them.
    """
    domains: dict[str, Domain] = {}
    for name in names:
        if name == "names":
            domains[name] = Domain(_some(first_texts(load_lexicon("cldr")), languages), "word")
        elif name == "law":
            domains[name] = Domain(_some(load_sentences("udhr").texts, languages), "query")
        elif name == "news":
            data = load_sentences("sib200", languages)
            domains[name] = Domain(data.texts, "query")
            for topic in sorted({*data.topics}):
                rows = [row for row, about in enumerate(data.topics) if about == topic]
                domains[f"{name} on {topic.replace('/', ' and ')}"] = Domain(data.take(rows).texts, "query", fits=False)
        elif name in _SOURCES:
            source, known = _SOURCES[name]
            parallel = load_parallel(source, [code for code in languages if code in known])
            firsts = np.unique(parallel.gold, return_index=True)[1]  # a question on each passage
            short = {code: [texts[row] for row in firsts] for code, texts in parallel.queries.items()}
            domains |= {name: Domain(parallel.passages, "passage"), SHORT[name]: Domain(short, "query", fits=False)}
        else:
            raise unknown("domain", name, DOMAINS)
    return domains


def _some(texts: Mapping[str, Sequence[str]], languages: Sequence[str]) -> dict[str, Sequence[str]]:
    return {code: texts[code] for code in languages if code in texts}


@dataclass(frozen=True, eq=False)
class _Part:
    """The texts of a domain in a language and the pivot that are compared: their vectors, and halves of them."""

    sides: Side
    half: Numbers
    texts: Sequence[str]

    def fitted(self, half: int, size: int, seed: list[int]) -> Side:
        rows = np.random.default_rng(seed).permutation(np.flatnonzero(self.half == half))[:size]
        return self.sides[0][rows], self.sides[1][rows]

    def found(self, moved: Sequence[Side], pool: int) -> Floats:
        """Return how often texts find each other first in a pool: those of the half 1 in the first of the two spaces.

        :param moved: All vectors, after a correction that was fitted on the half 0, and one on the half 1.
        """
        values = np.zeros(len(self.half))
        for half, sides in enumerate(moved[::-1]):
            rows = np.flatnonzero(self.half == half)
            for asked, searched in (sides, sides[::-1]):
                values[rows] += first_in_pool(gold_ranks(asked[rows], searched, rows), len(searched), pool) / 2
        return values


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
    a domain and tested on the other half of every domain, and the halves change places: "gain" is the paired change of
    the accuracy in the largest pools.

    :return: Metrics by language: "accuracy/25", in the states of the domains, also after centring, "characters", the
        length of a text, and "gain", in states such as "names, centred" and "shift, 12 names on law".
    :raises XlError: If a domain lacks the pivot, or nothing can be compared.
    """
    for name, domain in domains.items():
        if pivot not in domain.texts:
            raise XlError(f"the domain {name} has no texts in {pivot}; choose another pivot")
    started = time.perf_counter()
    spaces = {name: encode_all(encoder, domain.texts, domain.role) for name, domain in domains.items()}
    encoded = time.perf_counter()
    codes = list(dict.fromkeys(code for domain in domains.values() for code in domain.texts))
    rows = []
    for code in (code for code in codes if code != pivot):
        parts = {}
        for name, domain in domains.items():
            if code in domain.texts and (part := _part(domain, spaces[name], code, pivot, seed)):
                parts[name] = part
        key = {"kind": "language", "language": code}
        found = _language_rows(parts, [name for name in parts if domains[name].fits], sizes, ways, draws, seed)
        rows += [{**key, **row} for row in found]
    if not rows:
        raise XlError(f"no domain has {POOLS[0]} texts that differ between {pivot} and another language")
    mapped_codes = [code for code in codes if any(row["language"] == code for row in rows)]
    params = {"pivot": pivot, "seed": seed, "draws": draws, "mapped": mapped_codes, "pools": [*POOLS], "most": MOST}
    texts = {name: {code: [*column] for code, column in domain.texts.items()} for name, domain in domains.items()}
    size = sum(len(domain.texts[pivot]) for domain in domains.values() if domain.fits)
    about = {"name": "domains", "sha256": content_hash(texts), "languages": [pivot, *mapped_codes], "size": size}
    seconds = {"encode": round(encoded - started, 3), "measure": round(time.perf_counter() - encoded, 3)}
    return Record("production", describe_model(encoder), about, params, metric_table(rows), seconds, variant="domains")


def _part(domain: Domain, spaces: Mapping[str, np.ndarray], code: str, pivot: str, seed: int) -> _Part | None:
    """Return the texts to compare, or nothing if they are too few for a pool."""
    seen: tuple[set[str], set[str]] = (set(), set())
    kept, halves = [], []
    for place, row in enumerate(np.random.default_rng(seed).permutation(len(domain.texts[pivot]))):
        pair = [domain.texts[side][row].casefold() for side in (code, pivot)]
        is_new = all(text and text not in known for text, known in zip(pair, seen, strict=True))
        if is_new and pair[0] != pair[1] and len(kept) < MOST:
            kept.append(row)
            halves.append(place % 2)
            for text, known in zip(pair, seen, strict=True):
                known.add(text)
    if len(kept) < POOLS[0]:
        return None
    sides = spaces[code][kept], spaces[pivot][kept]
    return _Part(sides, np.array(halves), [domain.texts[code][row] for row in kept])


def _language_rows(
    parts: Mapping[str, _Part],
    fitting: Sequence[str],
    sizes: Sequence[int],
    ways: Sequence[Method],
    draws: int,
    seed: int,
) -> Iterator[dict[str, Any]]:
    pools = {name: max(pool for pool in POOLS if pool <= len(part.half)) for name, part in parts.items()}
    before = {}
    for name, part in parts.items():
        yield {"metric": "characters", **measured(np.array([*map(len, part.texts)], float), seed), "state": name}
        for pool in (pool for pool in POOLS if pool <= pools[name]):
            before[name] = part.found([part.sides] * 2, pool)
            yield {"metric": f"accuracy/{pool}", **measured(before[name], seed), "state": name}
            if name in fitting:
                centred = [mapped(CENTRED, part.fitted(half, MOST, [seed]), part.sides) for half in (0, 1)]
                after = part.found(centred, pool)
                yield {"metric": f"accuracy/{pool}", **measured(after, seed), "state": f"{name}, centred"}
        if name in fitting:
            yield {"metric": "gain", **measured(after - before[name], seed), "state": f"{name}, centred"}
    for source, size, way in itertools.product(fitting, sizes, ways):
        if size <= min(np.bincount(parts[source].half, minlength=2)):
            tries: dict[str, list[Floats]] = {target: [] for target in fitting}
            for draw in range(draws):
                maps = [fit_map(*parts[source].fitted(half, size, [seed, draw]), way, seed) for half in (0, 1)]
                for target, values in tries.items():
                    here, there = parts[target].sides
                    moved = [(one.apply(here), there) for one in maps]
                    values.append(parts[target].found(moved, pools[target]) - before[target])
            for target, values in tries.items():
                low, high = interval_over_draws(np.stack(values), seed)
                state = f"{way}, {size} {source} on {target}"
                yield {"metric": "gain", "value": np.mean(values), "low": low, "high": high, "state": state}
