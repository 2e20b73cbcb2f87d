"""Tables laid out as in the papers, from records: what is measured here below what was reported, never mixed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.chapters.asked import read_asked
from xlutils.chapters.paper_rows import INTERVAL, MEASURED, OURS, REPORTED, measured_rows, record_of, reported_rows
from xlutils.chapters.shipped import LEXICONS
from xlutils.chapters.tables import combine_means
from xlutils.chapters.wording import with_interval
from xlutils.datasets.languages import LANGUAGES
from xlutils.datasets.reported import load_reported
from xlutils.datasets.scenarios import PIVOT
from xlutils.results.record import read_items

_STATES = {"": "Base", OURS: "Ours"}  # by losses
_LOSSES = {"": "Baseline", "nce-passage": "NCE of passages", OURS: "Ours", "nce": "without JSD", "jsd": "without NCE"}
_NORM = "max@r_norm/mean-rank"  # the published norm is that of the mean rank
_METRICS = {  # heading, decimals and factor; shares are published in percent
    "complete@10": ("Complete@10", 1, 1),
    "max@r": ("Max@R", 1, 1),
    _NORM: ("Max@R norm", 1, 1),
    "ndcg@1": ("NDCG@1", 1, 100),
    "mrr": ("MRR", 3, 1),
}
_KINDS = {"mono-same": "Mono-Same", "mono-cross": "Mono-Cross"}
_GAPS = {  # heading, kind of pool and metric
    "CLIR, Max@R": ("mono-cross", "max@r"),
    "Multi, Max@R": ("multi", "max@r"),
    "Multi, Complete@10": ("multi", "complete@10"),
}
_CONCEPTS = {  # measures of the concept study
    "overall": "overall score",
    "intra_concept": "similarity within a concept",
    "nn_accuracy": "nearest neighbours",
    "retrieval_accuracy": "retrieval",
    "discriminability": "discriminability",
    "centroid_distance": "distance of languages",
}


def affinity_table(paths: Iterable[Path]) -> pd.DataFrame:
    """Return Semantic Affinity in English and Chinese, weighted as published, by model and data set, with the mean.

    :param paths: Records of any kind, here and below; those that the table does not show are left out.
    """
    rows, values = _reported_affinity(), {}
    for path in paths:
        record = record_of(path, "semantic-affinity")
        if record is None or set(record["dataset"]["languages"]) != {"en", "zh"}:
            continue
        model, dataset = record["model"]["name"], record["dataset"]["name"]
        if (model, dataset) in values:
            continue
        values[model, dataset] = read_items(path)["sa_pairs_value"].to_numpy(float)
        low, high = record["metrics"].query("kind == 'all' and metric == 'sa_pairs'")[["low", "high"]].to_numpy()[0]
        rows.append((model, MEASURED, dataset, with_interval(values[model, dataset].mean(), low, high, digits=3)))
    for model in dict.fromkeys(model for model, _ in values):
        if all((model, dataset) in values for dataset in LEXICONS):
            mean = combine_means([values[model, dataset] for dataset in LEXICONS])
            rows.append((model, MEASURED, "mean", with_interval(*mean, digits=3)))
    table = pd.DataFrame(rows, columns=["model", "source", "dataset", "text"])
    return _pivot(table, ["model", "source"], ["dataset"]).reindex(columns=[*LEXICONS, "mean"], fill_value="")


def _reported_affinity() -> list[tuple[str, str, str, str]]:
    """Return what the abstract gives: values, a range and a bound of the mean."""
    rows = []
    table = load_reported("semantic-affinity").set_index("item")[INTERVAL]
    for item, (value, low, high) in zip(table.index, table.to_numpy(float), strict=True):
        text = f"{value:.2f}"
        if math.isnan(value):
            text = f"below {high:.2f}" if math.isnan(low) else f"{low:.2f} to {high:.2f}"
        rows.append((str(item), REPORTED, "mean", text))
    return rows


def concept_table(paths: Iterable[Path]) -> pd.DataFrame:
    """Return the concept study: rows are its measures, concepts and pairs of languages; a column per model."""
    reported = load_reported("concept-study").query("metric in @_CONCEPTS")
    columns = {("MiniLM-L12-v2", REPORTED): reported.set_index(["metric", "item"])["value"].map("{:.3f}".format)}
    for path in paths:
        record = record_of(path, "concept-alignment")
        if record and path.stem == "concepts-core":  # not that of the tour, which has fewer concepts
            cells = {}
            for row in record["metrics"].itertuples():
                item = "-".join(row.pool.split("+")) if row.kind == "pair" else ""
                cells[row.metric, item] = with_interval(row.value, row.low, row.high, digits=3)
                cells[row.metric, "-".join(reversed(item.split("-")))] = cells[row.metric, item]
            items = read_items(path)
            for concept, value in zip(items["concept"], items["intra_concept"], strict=True):
                cells["intra_concept", concept] = f"{value:.3f}"
            columns[record["model"]["name"], MEASURED] = pd.Series(cells)
    table = pd.DataFrame(columns, index=pd.MultiIndex.from_frame(reported[["metric", "item"]]))
    return table.rename(_CONCEPTS).rename_axis(["model", "source"], axis=1).fillna("")


def mixed_table(paths: Iterable[Path]) -> pd.DataFrame:
    """Return Tables 1 and 4 of Hong et al.: pools of English and another language, under the protocol *paper*."""
    scores = pd.concat([_reported_mixed(), measured_rows(paths, "paper", ("multi",))])
    scores = scores[scores["metric"].isin(["complete@10", "max@r", _NORM]) & scores["losses"].isin(_STATES)]
    return _layout(scores, ["model", "documents", "query", "source"], ["data", "metric", "state"])


def _reported_mixed() -> pd.DataFrame:
    wide = load_reported("mixed-retrieval").rename(columns={"max@r_norm": _NORM})
    return reported_rows(wide, ["complete@10", "max@r", _NORM]).assign(kind="multi")


def asked_table(paths: Iterable[Path]) -> pd.DataFrame:
    """Return what Figure 2 of Hong et al. draws: how much higher Max@R is if asked in the target, not in English.

    Complete@10 has a column of its own. No values are printed in the paper.
    """
    rows = []
    for path in paths:
        record = record_of(path, "mixed-retrieval")
        if record is None:
            continue
        items = read_items(path)
        about = record["model"]["name"], record["dataset"]["name"], record["params"]["protocol"], MEASURED
        for heading, (kind, metric) in _GAPS.items():
            if metric in items:
                for code, *gap in read_asked(items, kind, metric).gaps().itertuples():
                    rows.append((*about, LANGUAGES[code].name, heading, with_interval(*gap, digits=1)))
    table = pd.DataFrame(rows, columns=["model", "data", "protocol", "source", "target", "pool", "text"])
    return _pivot(table, ["model", "target", "protocol", "source"], ["data", "pool"])


def mono_table(paths: Iterable[Path]) -> pd.DataFrame:
    """Return NDCG@1 and MRR of Tables 2 and 5: pools of one language, asked in it (Same) or not (Cross)."""
    wide = load_reported("mono-retrieval").rename(columns={"scenario": "kind"}).assign(**{"ndcg@1": _as_share})
    scores = pd.concat([reported_rows(wide, ["ndcg@1", "mrr"]), measured_rows(paths, "unique", tuple(_KINDS))])
    scores = scores[scores["metric"].isin(["ndcg@1", "mrr"]) & scores["losses"].isin(_STATES)]
    return _layout(scores, ["model", "language", "state", "source"], ["data", "scenario", "query", "metric"])


def _as_share(table: pd.DataFrame) -> pd.Series:
    return pd.Series(table["ndcg@1"] / 100)


def multi_1_table(paths: Iterable[Path]) -> pd.DataFrame:
    """Return what Figures 3 and 4 draw: NDCG@1 where the gold passage in the query's language is removed.

    No values are printed in the paper.
    """
    scores = measured_rows(paths, "unique", ("multi-1",))
    scores = scores[(scores["metric"] == "ndcg@1") & scores["losses"].isin(_STATES)]
    return _layout(scores, ["model", "language", "query", "source"], ["data", "state"])


def ablation_table(paths: Iterable[Path]) -> pd.DataFrame:
    """Return Table 3: the norm of Max@R by losses, in pools of English and another language."""
    wide = load_reported("ablation").rename(columns={"max@r_norm": _NORM}).assign(trained="")
    scores = pd.concat([reported_rows(wide, [_NORM]).assign(kind="multi"), measured_rows(paths, "paper", ("multi",))])
    scores = scores[(scores["metric"] == _NORM) & scores["losses"].isin(_LOSSES)]
    return _layout(scores, ["model", "data", "method", "source"], ["language", "query"])


def _layout(scores: pd.DataFrame, index: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """Arrange scores; the levels of rows and columns are in the order of first appearance, reported values first."""
    cells = []
    for metric, *interval in scores[["metric", *INTERVAL]].itertuples(index=False):
        _, digits, factor = _METRICS[metric]
        value, low, high = (factor * float(number) for number in interval)
        text = f"{value:.{digits}f}" if math.isnan(low) else with_interval(value, low, high, digits=digits)
        cells.append(text)
    name_of = {code: language.name for code, language in LANGUAGES.items()}
    table = scores.assign(
        text=cells,
        documents="English + " + scores["target"].map(name_of),
        language=scores["target"].map(name_of),
        query=(scores["query"] == PIVOT).map({True: "English", False: "target"}),
        state=scores["losses"].map(_STATES),
        method=scores["losses"].map(_LOSSES),
        data=scores["dataset"],
        metric=scores["metric"].map({metric: heading for metric, (heading, *_) in _METRICS.items()}),
        scenario=scores.get("kind", pd.Series(dtype=str)).map(_KINDS),
    )
    return _pivot(table, index, columns)


def _pivot(table: pd.DataFrame, index: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    for name in (*index, *columns):
        table = table.assign(**{name: pd.Categorical(table[name], table[name].dropna().unique(), ordered=True)})
    wide = table.pivot_table("text", list(index), list(columns), aggfunc="first", observed=True, sort=True)
    return wide.astype(object).fillna("")


def with_records(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows and columns on languages and data of which something is measured; no row if nothing is."""
    if "source" not in table.index.names:
        return table if MEASURED in table.columns.get_level_values("source") else table[:0]
    for level in {"documents", "language"} & {*table.index.names}:
        names = table.index.get_level_values(level)
        table = table[names.isin(names[_is_measured(table)])]
    if "data" in table.columns.names and len(table):
        data = table.columns.get_level_values("data")
        table = table.loc[:, data.isin(data[(table[_is_measured(table)] != "").any()])]
    return table[(table != "").any(axis=1)] if _is_measured(table).any() else table[:0]


def _is_measured(table: pd.DataFrame) -> NDArray[np.bool_]:
    return np.array([str(source).startswith(MEASURED) for source in table.index.get_level_values("source")], bool)


TABLES: dict[str, Callable[[Iterable[Path]], pd.DataFrame]] = {
    "affinity": affinity_table,
    "concepts": concept_table,
    "mixed": mixed_table,
    "asked": asked_table,
    "mono": mono_table,
    "multi-1": multi_1_table,
    "ablation": ablation_table,
}
