"""Chapter 5: the record of a language atlas as a table with a verdict on each language, and as text."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from xlutils.chapters.wording import with_interval
from xlutils.datasets.languages import LANGUAGES, language_codes, no_language
from xlutils.errors import XlError
from xlutils.models.catalogue import find_card
from xlutils.models.weights import name_of
from xlutils.results.record import find_records, read_record
from xlutils.results.rows import Key, value_of

CONTROL = "control"  # state of the control's accuracy
KNOWN, PARTLY, UNKNOWN = "known", "partly", "unknown"
METRICS = (
    *("accuracy", "found", "found-back", "xsim", "gap", "others", "place", "own-above", "script-above", "sa"),
    *("tokens-per-word", "tokens-per-character", "unread", "same-as-pivot", "items"),
)
_FACTS = ("name", "script", "direction", "speakers", "latitude", "longitude")
_LEVEL = 1e-6  # accuracies that differ by less are equal: records keep seven digits
_FIRST_PART = 0.1  # of the way from control to ceiling; before it, a language is unknown
_NAME_WIDTH = 40  # characters
_WIDTH = 120


def verdicts(metrics: pd.DataFrame, ceiling: float) -> pd.Series:
    """Return the verdict on each language that has an accuracy, by tag.

    Known: the whole interval of the accuracy is above the point half-way from the control, which knows no meaning, to
    the ceiling. Unknown: the interval is not wholly above that of the control, or above a tenth of that way: among
    many texts, the few that share a name or a number would do.

    :param metrics: Rows of a record, see `rows.metric_table`.
    :param ceiling: As from `atlas_values.ceiling_of`.
    """
    bounds = verdict_bounds(metrics, ceiling)
    is_known, is_unknown = judge(bounds["low"].to_numpy(), bounds)
    return pd.Series(np.select([is_known, is_unknown], [KNOWN, UNKNOWN], PARTLY), bounds.index, dtype=object)


def verdicts_against(record: Mapping[str, Any], baseline: Mapping[str, Any]) -> pd.Series:
    """Return the verdicts on the languages of two records when the second model takes the place of the control.

    :param baseline: The record of that model on the same data, such as one that learned the pivot only.
    """
    metrics, other = (one["metrics"] for one in (record, baseline))
    is_control = (metrics["metric"] == "accuracy") & (metrics["state"] == CONTROL)
    bound = other[(other["metric"] == "accuracy") & (other["state"] == "")].assign(state=CONTROL)
    found = verdicts(pd.concat([metrics[~is_control], bound]), value_of(metrics, Key("all", "ceiling")))
    return found[found.index.isin(bound["language"])]


def verdict_bounds(metrics: pd.DataFrame, ceiling: float) -> pd.DataFrame:
    """Return value and low of each accuracy, and what low has to exceed to be known, or not to be unknown."""
    rows = metrics[(metrics["kind"] == "language") & (metrics["metric"] == "accuracy")].set_index("language")
    control = rows[rows["state"] == CONTROL]
    bounds = rows.loc[rows["state"] == "", ["value", "low"]]
    way = ceiling - control["value"]
    least = np.maximum(control["high"], control["value"] + _FIRST_PART * way)
    return bounds.assign(halfway=control["value"] + way / 2, least=least)


def judge(low: np.ndarray, bounds: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return which languages are known and which unknown, bool [..., L], by the lower ends of their intervals.

    :param bounds: As from `verdict_bounds`, one row per language.
    """
    is_unknown = low <= bounds["least"].to_numpy() + _LEVEL
    return (low > bounds["halfway"].to_numpy() + _LEVEL) & ~is_unknown, is_unknown


def atlas_table(record: Mapping[str, Any]) -> pd.DataFrame:
    """Return the languages of a record, one row per tag, in the order of the data.

    The columns are facts about the language, `learned` (by the card of the model; None if that is not known), the
    verdict (empty for the pivot and for languages with too few texts), and value, low and high of each metric:
    `accuracy`, `accuracy_low`, `accuracy_high`, after centring `accuracy_centred` and so on, and `control`.

    :param record: As `read_record` returns it. The model, data set, pivot and ceiling are in the `attrs` of the table.
    """
    metrics, card = record["metrics"], find_card(record["model"]["name"])
    codes = pd.Index(record["dataset"]["languages"], name="language")
    rows = metrics[metrics["kind"] == "language"]
    names = (rows["metric"] + "_" + rows["state"]).str.removesuffix("_")
    rows = rows.assign(metric=names.replace(f"accuracy_{CONTROL}", CONTROL))
    ceiling = value_of(metrics, Key("all", "ceiling"))
    columns: dict[str, Any] = {fact: [getattr(LANGUAGES[code], fact) for code in codes] for fact in _FACTS}
    columns["learned"] = pd.Series([card.learned(code) if card else None for code in codes], codes, dtype=object)
    columns["verdict"] = verdicts(metrics, ceiling).reindex(codes).fillna("")
    for name in dict.fromkeys([*METRICS, *rows["metric"]]):
        values = rows[rows["metric"] == name].set_index("language").reindex(codes)
        columns |= {str(name): values["value"], f"{name}_low": values["low"], f"{name}_high": values["high"]}
    table = pd.DataFrame(columns, index=codes)
    table.attrs.update(model=record["model"]["name"], dataset=record["dataset"]["name"])
    table.attrs.update(pivot=record["params"]["pivot"], ceiling=ceiling)
    return table


def find_atlas(records_dir: str | Path, model: str, dataset: str) -> dict[str, Any]:
    """Read the record of a model's atlas in all languages of some data.

    :param dataset: Name of the record's file: that of the data, or with the pivot, such as "cldr.fr".
    :raises XlError: If there is none, naming those that there are.
    """
    paths = [path for path in find_records(records_dir, "language-atlas") if path.stem == dataset]
    by_model = {path.parent.name: path for path in paths}
    name = name_of(model).replace("/", "__")
    if name not in by_model:
        known = ", ".join(sorted(by_model)) or "no model"
        raise XlError(f"no atlas of {model} on {dataset} in {Path(records_dir).name}; there are atlases of {known}")
    return read_record(by_model[name])


def atlas_text(record: Mapping[str, Any], names: Sequence[str] = ()) -> str:
    """Return an atlas as lines of at most 120 characters, best language first.

    :param names: Languages to show, by tag or name; all of them by default.
    :raises XlError: If one is unknown or not in the record, offering the nearest.
    """
    table = atlas_table(record)
    about, ceiling = table.attrs, table.attrs["ceiling"]
    wanted = language_codes(names) if names else ()
    for code in wanted:
        if code not in table.index:
            raise no_language(f"the atlas on {about['dataset']}", code, list(table.index))
    shown = table.loc[list(wanted)] if names else table
    shown = shown.sort_values(["accuracy", "name"], ascending=[False, True], kind="stable")
    pivot = LANGUAGES[about["pivot"]].name
    title = f"{about['model']} on {about['dataset']}: how often texts and their translations in {pivot} find each other"
    lines = textwrap.wrap(f"{title}, with 95% intervals; the ceiling is {ceiling:.2f}", _WIDTH)
    for row in shown.reset_index().to_dict("records"):
        speakers = "" if pd.isna(row["speakers"]) else f"{row['speakers']:,.0f}"
        score = with_interval(*(row[f"accuracy{end}"] for end in ("", "_low", "_high"))) if row["verdict"] else "-"
        name = row["name"] if len(row["name"]) <= _NAME_WIDTH else row["name"][: _NAME_WIDTH - 3] + "..."
        about_language = f"{row['language']:14} {name:{_NAME_WIDTH}} {row['script']}  {speakers:>13}"
        lines.append(f"{about_language}  {score:22} {row['verdict']}")
    return "\n".join(line.rstrip() for line in lines)
