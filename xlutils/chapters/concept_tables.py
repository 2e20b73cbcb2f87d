"""Chapter 1: the answers to its questions, and what a study reported beside what is measured here."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from xlutils.chapters.concepts import ConceptStudy
from xlutils.chapters.wording import with_interval
from xlutils.datasets.languages import language_name
from xlutils.datasets.reported import load_reported
from xlutils.datasets.text import in_markdown
from xlutils.metrics import uncertainty
from xlutils.metrics.alignment import ConceptAlignment, quality

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


def beside_reported(studies: Sequence[ConceptStudy], metric: str) -> pd.DataFrame:
    """Return what the concept study reported beside the same values measured here, lowest reported value first.

    :param studies: Measurements on the core concepts, one column each.
    :param metric: "intra_concept", "pair_similarity" or "centroid_distance".
    """
    published = load_reported("concept-study").query("item != '' and metric == @metric").sort_values("value")
    table = pd.DataFrame({study.encoder.name: _reported_values(study.alignment, metric) for study in studies})
    table["MiniLM-L12-v2 (reported)"] = published.set_index("item")["value"]
    return table.loc[published["item"]].rename(_in_words)


def _in_words(item: str) -> str:
    """Return the name of an item with names of languages: "water", "tree: English–German" or "French–Russian"."""
    concept, colon, pair = item.rpartition(": ")
    return concept + colon + "–".join(map(language_name, pair.split("-")))


def _reported_values(alignment: ConceptAlignment, metric: str) -> pd.Series:
    """Return the values of a metric under the names of the reported ones: "water", "tree: en-de" or "fr-ru"."""
    if metric == "intra_concept":
        return pd.Series(alignment.intra, alignment.concepts)
    if metric == "pair_similarity":
        return pd.Series({f"{concept}: {a}-{b}": cosine for concept, a, b, cosine in alignment.misaligned(1.1)})
    names = [f"{a}-{b}" for a, b in itertools.product(alignment.languages, repeat=2)]
    return pd.Series(alignment.centroid_distance.ravel(), names)
