"""What chapter 1 says about a model: sentences made from the numbers, true for any model."""

from __future__ import annotations

import numpy as np

from xlutils.chapters.concepts import ConceptStudy
from xlutils.chapters.wording import with_interval
from xlutils.metrics.alignment import quality
from xlutils.metrics.uncertainty import paired_difference

_SURE = 0.05
_LOADED = "cultural"  # the category of culturally loaded concepts
_CONE = 0.5  # unrelated words nearer than this


def concept_findings(study: ConceptStudy, seed: int) -> list[str]:
    """Write the findings on one model as Markdown sentences.

    :param study: What was measured.
    :param seed: Seed of the intervals and tests.
    """
    summary = study.summary(seed)
    overall = summary.loc["overall"].to_numpy(float)
    found = [
        f"The overall score is {with_interval(*overall, digits=3)}: **{quality(overall[0])}**. "
        "In brackets here and below: the 95% interval.",
        _extremes(study),
        _directions(study, seed),
        _centroids(study, seed),
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


def _directions(study: ConceptStudy, seed: int) -> str:
    """Name the pair of languages where retrieval fails most."""
    pairs = study.by_pair(seed).dropna()
    (asked, searched), found = pairs.index[0], with_interval(*(100 * pairs.iloc[0]), digits=0)
    return f"Retrieval fails most from {asked} into {searched}: {found} in a hundred are found first."


def _centroids(study: ConceptStudy, seed: int) -> str:
    pairs = study.centroids(seed)
    (far, near), (most, least) = pairs.index[[0, -1]], (with_interval(*pairs.iloc[row], digits=3) for row in (0, -1))
    return (
        f"The mean vectors of {' and '.join(near)} are nearest, {least}, those of {' and '.join(far)} farthest apart, "
        f"{most}."
    )


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
        f"Translations have a mean cosine of {same:.2f}, unrelated words {different:.2f}: a gap of "
        f"{with_interval(*gap)}.{cone}"
    )


def _hubs(study: ConceptStudy, seed: int) -> str:
    cosine, csls = (study.items()[name].to_numpy(float) for name in ("retrieval_accuracy", "csls_retrieval"))
    there = np.isfinite(cosine) & np.isfinite(csls)
    gain = paired_difference(100 * csls[there], 100 * cosine[there], seed=seed)
    sure = "a sure gain" if gain.low > 0 else "a sure loss" if gain.high < 0 else "no sure difference"
    skew = with_interval(*study.summary(seed).loc["hub_skewness"], digits=1)
    change = with_interval(gain.mean, gain.low, gain.high, digits=1)
    return (
        f"Hubness: the skewness of neighbour counts is {skew}. CSLS, which takes the advantage of hubs away, changes "
        f"retrieval by {change} points: {sure}."
    )


def _probe(study: ConceptStudy, seed: int) -> str:
    summary = study.summary(seed)
    share, *silhouettes = (
        summary.loc[name] for name in ("language_probe", "silhouette_concept", "silhouette_language")
    )
    by_concept, by_language = silhouettes
    order = (
        "more by meaning than by language"
        if by_concept["low"] > by_language["high"]
        else "more by language than by meaning"
        if by_language["low"] > by_concept["high"]
        else "no more by meaning than by language"
    )
    return (
        "A linear probe names the language of an unseen concept's word in "
        f"{with_interval(*(100 * share), digits=0)} of a hundred cases; guessing gets {100 * study.probe.chance:.0f}. "
        f"The space is clustered {order}: silhouettes {with_interval(*by_concept)} and {with_interval(*by_language)}."
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
