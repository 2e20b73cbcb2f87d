"""Chapter 1: the answers to its questions, computed from the numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import pandas as pd

from xlutils.chapters.concepts import ConceptStudy
from xlutils.chapters.wording import with_interval
from xlutils.datasets.text import in_markdown
from xlutils.metrics import uncertainty
from xlutils.metrics.alignment import quality

_SIGNIFICANT = 0.05


def verdicts(study: ConceptStudy, seed: int) -> pd.Series:
    """Answer the questions of the chapter for one model, each answer with its interval or p-value."""
    summary, items = study.summary(seed), study.items()[["csls_retrieval", "retrieval_accuracy"]].dropna()
    overall, gap, probe = summary.loc[["overall", "discriminability", "language_probe"]].to_numpy()
    gain = uncertainty.paired_difference(items["csls_retrieval"], items["retrieval_accuracy"], seed=seed)
    chance = study.probe.chance
    answers = {
        "How well do translations align overall?": f"{quality(overall[0])}: {with_interval(*overall)}",
        "Are translations nearer than unrelated words?": _answer(gap),
        "Does CSLS find more translations than the cosine?": _answer((gain.mean, gain.low, gain.high)),
        "Can a linear probe name the language?": f"{_answer(probe, reference=chance)}, by chance {chance:.2f}",
        "Which languages are outliers?": _significant(study.by_language(seed).rename(study.label), "deviation"),
        "Which categories align worse than the rest?": _significant(study.by_category(seed), "value"),
    }
    return pd.Series(answers)


def answer_list(answers: Mapping[str, pd.Series]) -> str:
    """Return the answers of several models as Markdown, question by question.

    :param answers: By name of the model, its `verdicts`.
    """
    lines = []
    for question, row in pd.DataFrame(answers).iterrows():
        lines += ["", f"**{question}**", ""]
        lines += [f"- {in_markdown(str(name))}: {in_markdown(answer)}" for name, answer in row.items()]
    return "\n".join(lines)


def _answer(interval: Iterable[float], reference: float = 0.0) -> str:
    value, low, high = interval
    verdict = "yes" if low > reference else "no" if high < reference else "unclear"
    return f"{verdict}: {with_interval(value, low, high)}"


def _significant(table: pd.DataFrame, column: str) -> str:
    """List the rows with a significant p-value, lowest first."""
    rows = table[table["p_value"] < _SIGNIFICANT].sort_values(column)
    return "; ".join(f"{name}: {row[column]:.3f} (p = {row['p_value']:.4f})" for name, row in rows.iterrows()) or "none"
