"""What chapter 1 says about a model: sentences made from the numbers, true for any model."""

from __future__ import annotations

import numpy as np

from xlutils.metrics.concepts import quality
from xlutils.metrics.uncertainty import paired_difference
from xlutils.studies.concepts import ConceptStudy

_SURE = 0.05
_LOADED = "cultural"  # the category of culturally loaded concepts
_CONE = 0.5  # unrelated words nearer than this


def concept_findings(study: ConceptStudy, seed: int) -> list[str]:
    """Write the findings on one model as Markdown sentences.

    :param study: What was measured.
    :param seed: Seed of the intervals and tests.
    """
    summary = study.summary(seed)
    overall = summary.loc[["overall"]].to_dict("records")[0]
    found = [
        f"The overall score is {overall['value']:.3f} (95% interval {overall['low']:.3f} to {overall['high']:.3f}): "
        f"**{quality(overall['value'])}**."
    ]
    found += [
        _extremes(study),
        _centroids(study),
        _languages(study, seed),
        _categories(study, seed),
        _contrast(study, seed),
    ]
    found += [_gap(study, seed), _hubs(study, seed), _probe(study, seed), _words_shared(study)]
    return [sentence for sentence in found if sentence]


def _extremes(study: ConceptStudy) -> str:
    intra = study.alignment.intra
    worst, best = (study.alignment.concepts[place] for place in (np.nanargmin(intra), np.nanargmax(intra)))
    concept, one, other, cosine = study.alignment.misaligned(1.1)[0]
    return (
        f"The words of *{best}* are nearest to each other ({np.nanmax(intra):.2f}), those of *{worst}* farthest apart "
        f"({np.nanmin(intra):.2f}). The farthest single pair is *{concept}* in {one} and {other} ({cosine:.2f})."
    )


def _centroids(study: ConceptStudy) -> str:
    distance, codes = study.alignment.centroid_distance, study.alignment.languages
    pairs = sorted((distance[i, j], f"{codes[i]} and {codes[j]}") for i in range(len(codes)) for j in range(i))
    (least, near), (most, far) = pairs[0], pairs[-1]
    return f"The mean vectors of {near} are nearest ({least:.3f}), those of {far} farthest apart ({most:.3f})."


def _languages(study: ConceptStudy, seed: int) -> str:
    table = study.by_language(seed)
    outliers = table[table["p_value"] < _SURE].sort_values("deviation")
    if outliers.empty:
        return "No language stands out below the others beyond what chance would do (permutation test, corrected)."
    listed = [f"**{code}** ({row['deviation']:+.3f}, p = {row['p_value']:.4f})" for code, row in outliers.iterrows()]
    return f"Farther from the others than chance would have it (permutation test, corrected): {', '.join(listed)}."


def _categories(study: ConceptStudy, seed: int) -> str:
    table = study.by_category(seed)
    if len(table) < 2:
        return ""
    lower = table[table["p_value"] < _SURE].sort_values("value")
    if lower.empty:
        return "No category aligns worse than the rest beyond chance (permutation test, Holm-corrected)."
    listed = [f"*{name}* ({row['value']:.2f}, p = {row['p_value']:.4f})" for name, row in lower.iterrows()]
    return f"Categories that align worse than the rest (permutation test, Holm-corrected): {', '.join(listed)}."


def _contrast(study: ConceptStudy, seed: int) -> str:
    """Set culturally loaded against universal concepts, where the lexicon tells them apart."""
    table = study.by_category(seed)
    if _LOADED not in table.index or len(table) < 2:
        return ""
    loaded, universal = table[table.index == _LOADED].iloc[0], table[table.index != _LOADED]
    mean = float(np.average(universal["value"], weights=universal["concepts"]))
    verdict = "lower, beyond chance" if loaded["p_value"] < _SURE else "not lower beyond chance"
    return f"Culturally loaded concepts score {loaded['value']:.2f} and universal ones {mean:.2f}: {verdict}."


def _gap(study: ConceptStudy, seed: int) -> str:
    gap = study.summary(seed).loc["discriminability"]
    same, different = np.nanmean(study.alignment.intra), np.nanmean(study.alignment.different)
    cone = " All its vectors lie in a narrow cone: read the gap, not the cosine." if different > _CONE else ""
    return (
        f"Translations have a mean cosine of {same:.2f}, unrelated words {different:.2f}: a gap of {gap['value']:.2f} "
        f"({gap['low']:.2f} to {gap['high']:.2f}).{cone}"
    )


def _hubs(study: ConceptStudy, seed: int) -> str:
    cosine, csls = (study.items()[name].to_numpy(float) for name in ("retrieval_accuracy", "csls_retrieval"))
    there = np.isfinite(cosine) & np.isfinite(csls)
    gain = paired_difference(100 * csls[there], 100 * cosine[there], seed=seed)
    sure = "a sure gain" if gain.low > 0 else "a sure loss" if gain.high < 0 else "no sure difference"
    return (
        f"Hubness: the skewness of neighbour counts is {study.hub_skewness:.1f}. CSLS, which takes the advantage of "
        f"hubs away, changes retrieval by {gain.mean:+.1f} points ({gain.low:+.1f} to {gain.high:+.1f}): {sure}."
    )


def _probe(study: ConceptStudy, seed: int) -> str:
    share = 100 * study.summary(seed).loc["language_probe"]
    by_concept, by_language = study.silhouette
    order = "more by meaning than by language" if by_concept > by_language else "more by language than by meaning"
    return (
        f"A linear probe names the language of an unseen concept's word in {share['value']:.0f}% of cases "
        f"({share['low']:.0f} to {share['high']:.0f}; guessing gets {100 * study.probe.chance:.0f}%). "
        f"The space is clustered {order} (silhouettes {by_concept:.2f} and {by_language:.2f})."
    )


def _words_shared(study: ConceptStudy) -> str:
    same, shared = study.lexicon.same_spellings(), study.lexicon.shared_words()
    missing = sum(study.alignment.missing.values())
    parts = []
    if same:
        parts.append(f"{same} pairs of translations are spelled alike, a gift to any model")
    if shared:
        parts.append(f"{len(shared)} words stand for two concepts of one language, where a tie counts as half")
    if missing:
        parts.append(f"{missing} words are missing, and their concepts are left out of the pairs with that language")
    return f"About the data: {'; '.join(parts)}." if parts else ""
