"""Read the leaderboard from records, and put next to it what others reported."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from xlutils.datasets.languages import LANGUAGES
from xlutils.datasets.reported import load_reported
from xlutils.datasets.scenarios import PIVOT
from xlutils.errors import XlError
from xlutils.models.catalogue import CATALOGUE, find_card
from xlutils.results.leaderboard.scores import Board, Column, Row, Score, Source
from xlutils.results.record import find_records, read_record
from xlutils.results.rows import Key

LEXICONS = ("everyday", "culture", "untranslatable", "oracle-bone")
CONCEPTS = "concepts-extended"
ATLAS = "cldr"  # the names of things of the language atlas
FIRST_SET = "xquad.unique"  # the question set that the board opens with, if it was measured
_RETRIEVAL = "mixed-retrieval"
_CONTROLS = ("ngram-hash", "random")  # back ends
_SETTINGS = ("protocol", "k", "distance", "role", "scenarios")
_EVEN = 0.5  # share of questions whose language comes first if no language is preferred
_SA = "Semantic Affinity: how much nearer translations are than other words, 0 to 1"
_PUBLISHED = "xquad.paper"  # the question set that others have published results of
_COPIES = "a copy of the passage per question"
_BY_LANGUAGE = (  # kind, metric, short name, heading, format, what it says
    ("mono-same", "ndcg@1", "one", "NDCG@1, one language", ".3f", "share of questions with a right passage first"),
    ("mono-cross", "ndcg@1", "across", "NDCG@1, across languages", ".3f", "all passages are in another language"),
    ("multi", "ndcg@1", "any", "NDCG@1, mixed pool", ".3f", "two languages in the pool, either passage is right"),
    ("multi", "complete@10", "complete@10", "Complete@10, mixed pool", ".1f", "% with both passages in the first ten"),
    ("multi", "max@r_norm/mean-rank", "max@r_norm", "Max@R norm, mixed pool", ".1f", "depth of the later; 100 is best"),
    ("mining", "margin-accuracy", "mining", "Mining, margin accuracy", ".3f", "translations found among all questions"),
)
_REMEDY = "both sides"  # the one that the board shows
_WHAT, _VERSION = ["experiment", "stem"], ["name", "fingerprint"]  # of a record; of its model


def read_board(folders: Iterable[str | Path]) -> Board:
    """Read the leaderboard from folders of records; a record of a later folder replaces the same one of an earlier.

    A column compares only what was measured on the same data in the same way: where records of the same name differ
    in that, the edition that most models share stays, and the other records are listed as left out.
    """
    records, left_out = _find(folders)
    rows: list[Row] = []
    parts: dict[Source, dict[int, Score]] = {}
    for number, (_, of_model) in enumerate(records.groupby(_VERSION)):
        rows.append(_row(of_model, records))
        for path, content in zip(of_model["path"], of_model["content"], strict=True):
            for source, score in _scores(path, content):
                parts.setdefault(source, {})[number] = score
    rows += _reported()
    sets = _question_sets(parts, rows)
    of_sets = (column for stem in sets for column in _question_columns(stem, sets[0], parts, rows))
    columns = (*of_sets, *_word_columns(), *_atlas_columns(), *_relation_columns())
    board = Board(tuple(rows), columns, tuple(sets), parts, tuple(left_out))
    return replace(board, columns=tuple(column for column in columns if board.scores(column)))


def _scores(path: Path, content: Mapping[str, Any]) -> Iterator[tuple[Source, Score]]:
    if content["experiment"].startswith(("finetune", "language-repair", "map")) or "done" in content["params"]:
        return  # no column shows trainings, repairs or maps
    rows = content["metrics"]
    if content["experiment"] in ("language-atlas", "relations"):
        rows = rows[rows["kind"] == "all"]  # the others are thousands
    for row in rows.to_dict("records"):
        key = Key(**{name: row[name] for name in Key._fields})
        low, high = (None if math.isnan(row[bound]) else row[bound] for bound in ("low", "high"))
        yield (content["experiment"], path.stem, key), Score(row["value"], low, high, (str(path),))


def _find(folders: Iterable[str | Path]) -> tuple[pd.DataFrame, list[str]]:
    """Read the records of the main editions, and list the others with the reason why they are left out."""
    rows, left_out = [], []
    for path in (path for folder in folders for path in find_records(folder)):
        try:
            content = read_record(path)
        except XlError as error:
            left_out.append(str(error))
            continue
        about = (content["experiment"], path.stem, content["model"]["name"], content["model"]["fingerprint"])
        rows.append((*about, _edition(content), content["created"], path, content))
    columns = [*_WHAT, *_VERSION, "edition", "created", "path", "content"]
    records = pd.DataFrame(rows, columns=columns).drop_duplicates([*_WHAT, *_VERSION], keep="last")
    editions = records.groupby([*_WHAT, "edition"])["created"].agg(["size", "max"]).sort_values(["size", "max"])
    main = editions.reset_index().drop_duplicates(_WHAT, keep="last").set_index(_WHAT)["edition"]
    is_main = records["edition"] == records.join(main.rename("main"), on=_WHAT)["main"]
    why = "measured on other data, languages or scenarios than the rest"
    others = records[~is_main].sort_values([*_WHAT, *_VERSION])
    left_out += [f"{row.name}, {row.experiment}/{row.stem}: {why}" for row in others.itertuples(index=False)]
    return records[is_main].sort_values(_WHAT), left_out


def _edition(content: Mapping[str, Any]) -> str:
    settings = {name: content["params"].get(name) for name in _SETTINGS}
    return repr((content["dataset"]["sha256"], sorted(content["dataset"]["languages"]), settings))


def _row(records: pd.DataFrame, everyone: pd.DataFrame) -> Row:
    """Build the row of one version of a model from its records."""
    model = records["content"].iloc[0]["model"]
    speeds: dict[str, tuple[float, str]] = {}
    for stem, content in zip(records["stem"], records["content"], strict=True):
        if speed := content["timing"].get("texts-per-second"):
            machine = content["environment"]["gpu"] or content["environment"]["cpu"]
            speeds.setdefault(stem.split(".")[0], (speed, machine))
    has_versions = (everyone["fingerprint"][everyone["name"] == model["name"]] != model["fingerprint"]).any()
    label = f"{model['name']} ({model['fingerprint'][:6]})" if has_versions else model["name"]
    card = find_card(model["name"])
    is_control = card is not None and card.backend in _CONTROLS
    return Row(model["name"], label, "control" if is_control else "measured", model["revision"], speeds)


def _reported() -> Iterator[Row]:
    """Build rows of what others published, without means and questions in English, which come from other pools."""
    words = load_reported("semantic-affinity")
    for name, value in words.loc[words["item"].isin(list(CATALOGUE)), ["item", "value"]].itertuples(index=False):
        label = f"{name} (distiluse)" if name == "USE" else name  # not the USE that is measured here
        yield Row(name, label, "reported", words.attrs["source"], reported={"sa": value}, protocol="other word lists")
    questions = load_reported(_RETRIEVAL)
    source = questions.attrs["source"]
    questions = questions[questions["query"] == questions["target"]]
    for (name, trained), table in questions.groupby(["model", "trained"], sort=False):
        numbers = {
            f"{line['dataset']}.paper/{line['query']}/{metric}": float(line[metric])
            for line in table.to_dict("records")
            for metric in ("complete@10", "max@r_norm")
        }
        label = f"{name}, trained" if trained == "yes" else str(name)
        yield Row(str(name), label, "reported", source, reported=numbers, protocol=_COPIES)


def _question_sets(sources: Iterable[Source], rows: Iterable[Row]) -> list[str]:
    """List the question sets by file name: the main one, the others that were measured, and the reported ones."""
    measured = {stem for experiment, stem, _ in sources if experiment == _RETRIEVAL}
    reported = {key.split("/")[0] for row in rows for key in row.reported if "/" in key}
    return sorted(measured | reported, key=lambda stem: (stem != FIRST_SET, stem not in measured, stem))


def _word_columns() -> Iterator[Column]:
    words = {name: ("semantic-affinity", name, Key("all", "sa_pairs")) for name in LEXICONS}
    yield Column(
        "sa", "Semantic Affinity", f"{_SA}; mean over {', '.join(LEXICONS)}", tuple(words.values()), form=".3f"
    )
    for name, source in words.items():
        yield Column(
            f"sa/{name}", f"Semantic Affinity, {name}", f"{_SA}; words of {name}", (source,), form=".3f", is_detail=True
        )
    overall = "concept-alignment", CONCEPTS, Key("all", "overall")
    yield Column("concepts", "Concept alignment", "Overall score of concept alignment, 0 to 1", (overall,), form=".3f")


def _atlas_columns() -> Iterator[Column]:
    names = f"names of things in {ATLAS}"
    known = "language-atlas", ATLAS, Key("all", "known")
    about = f"Number of languages whose {names} find their English name far more often than a control does"
    yield Column("languages", "Languages known", about, (known,), form=".0f")
    worst = "language-atlas", ATLAS, Key("all", "worst-decile")
    about = f"Accuracy with which {names} and their English name find each other; the worst tenth of languages"
    yield Column("worst-decile", "Worst decile", about, (worst,), form=".3f")


def _relation_columns() -> Iterator[Column]:
    antonyms = ("relations", "relations", Key("all", "antonyms"))
    about = "How often a word is nearer to its translation than to the translated antonym; 0.5 is chance"
    yield Column("antonyms", "Antonyms told apart", about, (antonyms,), form=".3f")
    roles = ("relations", "minimal-pairs", Key("all", "pairs/role"))
    about = "How often a sentence is nearer to its translation than to the one with its roles reversed; 0.5 is chance"
    yield Column("roles", "Roles told apart", about, (roles,), form=".3f")


def _question_columns(stem: str, first: str, sources: Iterable[Source], rows: Iterable[Row]) -> Iterator[Column]:
    def find(*keys: Key) -> tuple[Source, ...]:
        return tuple((_RETRIEVAL, stem, key) for key in keys)

    targets = _targets(stem, sources, rows)
    for kind, metric, short, heading, form, about in _BY_LANGUAGE:
        mean, about_mean = find(Key(kind, metric)), f"{about}; mean over all languages"
        yield Column(f"{stem}/{short}", heading, about_mean, mean, form=form, questions=stem)
        for code in (PIVOT, *targets):
            query, language = "" if kind == "mining" else code, LANGUAGES[code].name
            pairs = find(*(Key(kind, metric, pool, query) for pool in _pools(kind, code, targets)))
            column = Column(
                f"{stem}/{code}/{short}", f"{heading}, {language}", f"{about}; {language}", pairs, form=form
            )
            yield replace(column, questions=stem, language=code, is_detail=True)
        if short == "complete@10" and stem == first:
            yield from _published(sources, rows)
    pools = [(pool, code) for code in (PIVOT, *targets) for pool in _pools("multi", code, targets)]
    pairs = find(*(Key("multi", "complete@10", pool, code) for pool, code in pools))
    about = "Complete@10, mean over the languages that the model learned, as far as that is known"
    learned = Column(f"{stem}/learned", "Complete@10, if learned", about, pairs, questions=stem)
    yield replace(learned, only_learned=True)
    bias = find(Key("multi", "own-first"))
    about = "share of questions for which the gold passage in their language ranks first; 0.5 is even"
    yield Column(f"{stem}/bias", "Question's language first", about, bias, best=_EVEN, form=".2f", questions=stem)
    remedied = (("remedies", stem, Key("multi", "complete@10", state=_REMEDY)),)
    about = (
        "Complete@10 when the mean of each language is subtracted from questions and passages, fitted on other texts"
    )
    yield Column(f"{stem}/centred", "Complete@10, centred", about, remedied, questions=stem)


def _published(sources: Iterable[Source], rows: Iterable[Row]) -> Iterator[Column]:
    """Make the column of what others published, and of the same languages measured here under their protocol."""
    keys = dict.fromkeys(key for row in rows for key in row.reported if key.startswith(_PUBLISHED))
    measured = {key.query for _, stem, key in sources if stem == _PUBLISHED and key.metric == "complete@10"}
    reported = [key for key in keys if key.endswith("/complete@10")]
    reported = [key for key in reported if key.split("/")[1] in measured] or reported
    codes = [key.split("/")[1] for key in reported]
    pairs = tuple((_RETRIEVAL, _PUBLISHED, Key("multi", "complete@10", f"{PIVOT}+{code}", code)) for code in codes)
    about = f"Complete@10 on XQuAD with {_COPIES}; mean over {', '.join(LANGUAGES[code].name for code in codes)}"
    column = Column("published/complete@10", "Complete@10, with copies", about, pairs)
    yield replace(column, reported=tuple(reported))


def _pools(kind: str, code: str, targets: Sequence[str]) -> list[str]:
    """List the pools in which questions in a language are asked."""
    if kind == "mono-same":
        return [code]
    others = targets if code == PIVOT else [code]
    if kind in ("multi", "mining"):
        return [f"{PIVOT}+{each}" for each in others]
    return list(targets) if code == PIVOT else [PIVOT]


def _targets(stem: str, sources: Iterable[Source], rows: Iterable[Row]) -> list[str]:
    """List the languages that are paired with English in a question set."""
    pools = (key.pool for _, name, key in sources if name == stem and key.kind == "multi" and key.pool)
    codes = dict.fromkeys(pool.removeprefix(f"{PIVOT}+") for pool in pools)
    codes |= {key.split("/")[1]: None for row in rows for key in row.reported if key.startswith(f"{stem}/")}
    return [code for code in codes if code != PIVOT]
