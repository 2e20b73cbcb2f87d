"""What chapter 2 says: sentences made from the numbers, true for any models."""

from __future__ import annotations

import numpy as np
import pandas as pd

from xlutils.chapters.affinity import TIERS, AffinityStudy
from xlutils.chapters.affinity_benchmark import Benchmark
from xlutils.chapters.blind_spots import MEASURES
from xlutils.chapters.categories import category_table
from xlutils.chapters.wording import with_interval
from xlutils.metrics.uncertainty import bootstrap

_SURE = 0.05
_SHOWN = 8  # words named as examples
_CHANGED = 0.02  # a difference smaller than this is called none


def benchmark_findings(benchmark: Benchmark, seed: int) -> list[str]:
    """Say in which tier each model lies, which can be told apart, and which data are hardest."""
    means = benchmark.means(seed)
    if means.empty:
        return ["No model could be measured on all datasets."]
    found = [_tier_sentence(str(model), row) for model, row in means.iterrows()]
    tiers = means["tier"].nunique()
    if len(means) > 1:
        found.append(f"These {len(means)} models lie in {tiers} different tiers." if tiers > 1 else _ONE_TIER)
    for _, row in benchmark.neighbours(seed).iterrows():
        sure = "are told apart" if row["p_value"] < _SURE else "**cannot be told apart** with these words"
        difference = with_interval(row["difference"], row["low"], row["high"], digits=3)
        found.append(f"{row['better']} and {row['worse']} {sure}: {difference}, p = {row['p_value']:.4f}.")
    if len(benchmark.datasets) > 1:
        cells = benchmark.cells().loc[list(means.index)]
        best = cells.loc[means.index[0]]
        found.append(
            f"For {means.index[0]} the easiest data are *{best.idxmax()}* ({best.max():.3f}) and the hardest "
            f"*{best.idxmin()}* ({best.min():.3f})."
        )
    return found


_ONE_TIER = "They all lie in one tier."


def _tier_sentence(model: str, row: pd.Series) -> str:
    crossed = [line for line in TIERS if row["low"] <= line <= row["high"]]
    sure = f"its interval reaches across {crossed[0]:.2f}" if crossed else "its interval lies wholly in that tier"
    value = with_interval(row["value"], row["low"], row["high"], digits=3)
    return f"**{model}**: mean SA {value}, *{row['tier']}*; {sure}."


def unread_findings(benchmark: Benchmark) -> list[str]:
    """Name the words that a model cannot read, so that several share one vector."""
    found = []
    for (model, dataset), study in benchmark.studies.items():
        for code, words in study.unread().items():
            if words and study.affinity.status == "OK":
                shown = ", ".join(words[:_SHOWN]) + (" ..." if len(words) > _SHOWN else "")
                count = len(study.lexicon.words(code))
                found.append(f"**{model}** on *{dataset}*, {code}: {len(words)} of {count} words ({shown}).")
    return found or ["Every model tells all words of a language apart."]


def contrast_findings(modern: AffinityStudy, ancient: AffinityStudy, seed: int) -> list[str]:
    """Say whether one lexicon aligns worse than another in a model, and which groups of the second are worst."""
    difference, low, high = _difference(modern.affinity.sa_values, ancient.affinity.sa_values, seed)
    verdict = "aligns worse than" if low > 0 else "aligns better than" if high < 0 else "cannot be told from"
    text = with_interval(difference, low, high, digits=3)
    found = [f"**{modern.name}**: *{ancient.lexicon.name}* {verdict} *{modern.lexicon.name}* (difference {text})."]
    if any(ancient.unread().values()) or any(modern.unread().values()):
        try:
            rest = _difference(modern.readable().sa_values, ancient.readable().sa_values, seed)
        except ValueError:  # it can read next to nothing
            return found
        found.append(f"Without the concepts of which it cannot read a word: {with_interval(*rest, digits=3)}.")
    groups = category_table(ancient.affinity.sa_by_concept, ancient.lexicon.categories, seed)
    lower = groups[groups["p_value"] < _SURE].sort_values("value")
    if len(groups) > 1:
        listed = [f"*{name}* ({row['value']:.2f}, p = {row['p_value']:.4f})" for name, row in lower.iterrows()]
        found.append(
            f"Groups of *{ancient.lexicon.name}* that align worse than its rest (permutation test, Holm-corrected): "
            f"{', '.join(listed) or 'none'}."
        )
    return found


def _difference(a: np.ndarray, b: np.ndarray, seed: int) -> tuple[float, float, float]:
    """Difference of the means of two sets of concepts, and its 95% interval."""
    values, first = np.concatenate([a, b]), len(a)

    def difference(times: np.ndarray) -> np.ndarray:
        one, other = times[:, :first], times[:, first:]
        result: np.ndarray = one @ a / one.sum(axis=1) - other @ b / other.sum(axis=1)
        return result

    low, high = bootstrap(difference, len(values), seed=seed)
    return float(a.mean() - b.mean()), float(low), float(high)


def disturbance_findings(table: pd.DataFrame) -> list[str]:
    """Say for each disturbance how far affinity and retrieval moved, and whether they went the same way.

    :param table: What `disturb` returned.
    """
    found = []
    for question, rows in table.groupby("question", sort=False):
        affinity, retrieval = (
            rows[rows["measure"] == measure].set_index("strength")["value"] for measure in MEASURES[:2]
        )
        apart = (affinity - affinity.iloc[0] - (retrieval - retrieval.iloc[0])).abs()
        worst = apart.idxmax()
        moves = [float(each.loc[worst] - each.iloc[0]) for each in (affinity, retrieval)]
        found.append(
            f"*{question}* (at {worst:g}): SA goes from {affinity.iloc[0]:.2f} to {affinity.loc[worst]:.2f}, retrieval "
            f"from {retrieval.iloc[0]:.2f} to {retrieval.loc[worst]:.2f}. {_verdict(*moves)}"
        )
    return found


def _verdict(affinity: float, retrieval: float) -> str:
    if max(abs(affinity), abs(retrieval)) < _CHANGED:
        return "Neither minds."
    if affinity > -_CHANGED and retrieval < -_CHANGED:
        return "**SA sees nothing wrong while translations are no longer found.**"
    if affinity < 5 * retrieval and affinity < -_CHANGED:
        return "SA falls far more than retrieval within one language, which hardly notices a shift of that language."
    return "Both move the same way." if affinity * retrieval > 0 else "They move in opposite directions."
