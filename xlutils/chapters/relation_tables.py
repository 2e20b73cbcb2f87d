"""Chapter 6: records of relations as tables, the items that fail in full text, and verdicts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from xlutils.chapters.claims import Claim, above, below, claim_table, judged
from xlutils.chapters.relation_tests import slug
from xlutils.chapters.wording import with_interval
from xlutils.datasets.languages import LANGUAGES, language_codes, no_language
from xlutils.datasets.relations import TextPairs, load_minimal_pairs, load_relations, load_senses
from xlutils.errors import XlError
from xlutils.models.catalogue import is_control
from xlutils.models.weights import name_of
from xlutils.results.record import find_records, read_items, read_record
from xlutils.results.rows import Key, rows_of

CHANCE = 0.5
LOADERS = {"relations": load_relations, "minimal-pairs": load_minimal_pairs, "senses": load_senses}
PHENOMENA = {  # of the table that ships
    "role": "who does what to whom",
    "negation": "negation",
    "tense": "tense",
    "aspect": "finished or ongoing",
    "number": "one or several",
    "modality": "must, may, can",
    "certainty": "how sure, from where",
    "quantity": "how many",
    "register": "formal or informal",
    "entity": "names, days, months",
}
_TESTS = {"antonyms": "antonyms", "senses": "senses of words"}  # beside the phenomena
_KEEPS = 0.02  # share of the items that a repair may lose


def phenomena(record: Mapping[str, Any], bound: str = "value") -> pd.DataFrame:
    """Return how often each phenomenon is told apart: one row per phenomenon, one column per language.

    :param record: As from `read_record`, of minimal pairs.
    :param bound: "value", "low" or "high".
    """
    metrics = record["metrics"]
    rows = metrics[
        (metrics["kind"] == "language") & (metrics["state"] == "") & metrics["metric"].str.startswith("pairs/")
    ]
    table: pd.DataFrame = rows.pivot_table(bound, "metric", "language", sort=False)
    names = [PHENOMENA.get(name.removeprefix("pairs/"), name.removeprefix("pairs/")) for name in table.index]
    table.index, table.columns = pd.Index(names, name="phenomenon"), pd.Index([_name(code) for code in table.columns])
    return table


def worst_items(items: pd.DataFrame, pairs: TextPairs, code: str, test: str, count: int = 3) -> pd.DataFrame:
    """Return the items of a test that a model gets wrong in a language, in full text, the worst first.

    :param items: Per-item values of a record.
    :param pairs: The table that it was measured on, with its pivot as the first language.
    :return: Columns item, told apart, and the texts of both languages; one row per item.
    """
    pivot = next(language for language in pairs.languages if language != code)
    column, _, group = test.partition("/")
    place = {key: row for row, key in enumerate(pairs.ids) if group in ("", slug(pairs.groups[row]))}
    chosen = items[(items["language"] == code) & items["item"].isin(place)]
    values = chosen[chosen[column] <= CHANCE].rename(columns={column: "value"})
    rows = []
    for key, value in values.sort_values(["value", "item"])[["item", "value"]].head(count).itertuples(index=False):
        sides = {
            _name(tag): f"{pairs.first[tag][place[key]]} / {pairs.second[tag][place[key]]}" for tag in (pivot, code)
        }
        rows.append({"item": key, "told apart": value, **sides})
    return pd.DataFrame(rows)


def explain(records_dir: str | Path, model: str, language: str, count: int = 3) -> str:
    """Return what a model confuses in a language, test by test, with the worst items in full text.

    :raises XlError: If the model has no record, or its record lacks the language.
    """
    (code,) = language_codes([language])
    folder = name_of(model).replace("/", "__")
    paths = [path for path in find_records(records_dir, "relations") if path.parent.name == folder]
    by_name = {path.stem: path for path in paths if path.stem in LOADERS}
    if not by_name:
        known = ", ".join(sorted({path.parent.name for path in find_records(records_dir, "relations")})) or "no model"
        raise XlError(f"no record of relations of {model} in {Path(records_dir).name}; there are records of {known}")
    lines = [f"{folder}: what it confuses in {_name(code)}; 0.5 is chance"]
    for name, path in sorted(by_name.items()):
        record = read_record(path)
        if code not in record["dataset"]["languages"]:
            raise no_language(name, code, record["dataset"]["languages"])
        pairs, items = LOADERS[name](name), read_items(path)
        metrics = record["metrics"]
        shown = metrics[(metrics["language"] == code) & (metrics["state"] == "")]
        shown = shown[shown["metric"].isin(_TESTS) | shown["metric"].str.startswith("pairs/")]
        for row in shown.sort_values("value").to_dict("records"):
            test = row["metric"].removeprefix("pairs/")
            title = PHENOMENA.get(test, _TESTS.get(test, test))
            lines += ["", f"{title}: {with_interval(row['value'], row['low'], row['high'])}"]
            for item in worst_items(items, pairs, code, row["metric"], count).to_dict("records"):
                key, value, *texts = item.values()
                lines.append(f"  {key}  {value:.2f}")
                lines += [f"    {text}" for text in texts]
    return "\n".join(lines)


def relation_claims(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Check what is said of relations against records of chapter 6; see `claims.claim_table`."""
    rows = []
    for record in records:
        if not is_control(record["model"]["name"]):
            check = _CHECKS.get(record["dataset"]["name"])
            done = record["params"].get("done")
            name = record["model"]["name"] + (f", trained with {done['name']}" if done else "")
            rows += [(name, claim) for claim in (check(record["metrics"]) if check else ())]
    return claim_table(sorted(rows, key=lambda row: row[1].claim))


def _interval(metrics: pd.DataFrame, metric: str, state: str = "") -> tuple[float, float, float]:
    value, low, high = rows_of(metrics, Key("all", metric, state=state))[["value", "low", "high"]].to_numpy()[0]
    return float(value), float(low), float(high)


def _check_words(metrics: pd.DataFrame) -> list[Claim]:
    claims = [
        above(
            "A translation is nearer than the translated antonym",
            "share of antonyms told apart, mean of the languages that it learned, above 0.9",
            _interval(metrics, "antonyms"),
            0.9,
        ),
        below(
            "An antonym is as far as any other word",
            "share of other words of its kind that the antonym is nearer than, at most 0.6",
            _interval(metrics, "antonym-above-others"),
            0.6,
        ),
    ]
    offset, alone = (_interval(metrics, f"analogy-{method}/gender") for method in ("excluding", "alone"))
    why = f"by the offset {with_interval(*offset)}, by nearness alone {with_interval(*alone)}"
    text, shown = "Relations are directions", "man to woman by the offset beats nearness alone: intervals apart"
    claims.append(judged(text, shown, f"{offset[0] - alone[0]:.2f}", why, holds=offset[1] > alone[2]))
    for state in ("centred", "rotated"):
        before, after = _interval(metrics, "antonyms"), _interval(metrics, "antonyms", state)
        why = f"antonyms told apart {with_interval(*before)} before, {with_interval(*after)} after"
        text, shown = f"A repair keeps relations: {state}", f"antonyms told apart fall by less than {_KEEPS:g}"
        claims.append(judged(text, shown, f"{after[0] - before[0]:+.2f}", why, holds=after[0] > before[0] - _KEEPS))
    return claims


def _check_sentences(metrics: pd.DataFrame) -> list[Claim]:
    claims = []
    for test in dict.fromkeys(metrics.loc[metrics["metric"].str.startswith("pairs/"), "metric"]):
        name = test.removeprefix("pairs/")
        text = f"Told apart across languages: {PHENOMENA.get(name, name)}"
        claims.append(
            above(text, "share above 0.9, mean of the languages that it learned", _interval(metrics, test), 0.9)
        )
    return claims


def _check_senses(metrics: pd.DataFrame) -> list[Claim]:
    shown_by = "sentence nearer to the translation of its sense than to the other's, above 0.9"
    return [above("A sentence settles the sense of its word", shown_by, _interval(metrics, "senses"), 0.9)]


_CHECKS: dict[str, Callable[[pd.DataFrame], list[Claim]]] = {
    "relations": _check_words,
    "minimal-pairs": _check_sentences,
    "senses": _check_senses,
}


def _name(code: str) -> str:
    return LANGUAGES[code].name
