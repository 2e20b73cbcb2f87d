"""Chapter 1: the claims of the concept study, checked against records."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from xlutils.chapters.claims import Claim, above, claim_table, judged, untestable
from xlutils.chapters.concept_record import AMONG_OTHERS
from xlutils.chapters.tables import category_table
from xlutils.chapters.wording import with_interval
from xlutils.metrics.alignment import GRADES, quality
from xlutils.models.catalogue import is_control
from xlutils.results.record import find_records, read_items, read_record
from xlutils.results.rows import Key, rows_of, value_of

LEXICONS = ("concepts-core", "concepts-extended")  # the words of the study, and more in more languages
_SIGNIFICANT = 0.05
_ALIKE = 0.1  # share of the mean that a difference may be and count as none
_CATEGORIES = {"scientific": "science"}
_STUDIED = "de"  # the language that the study found to diverge


def concept_claims(records_dir: str | Path, seed: int = 42) -> pd.DataFrame:
    """Check the claims against records on the study's own words and on more of them; see `claims.claim_table`."""
    paths = find_records(records_dir, "concept-alignment")
    return claims_of_records(sorted(path for path in paths if path.stem in LEXICONS), seed)


def claims_of_records(paths: Sequence[Path], seed: int = 42) -> pd.DataFrame:
    """Check the claims of the concept study against records, given by their paths."""
    rows = []
    for path in paths:
        content, items = read_record(path), read_items(path)
        name = content["model"]["name"]
        if is_control(name):
            continue
        label = f"{name}, {content['dataset']['name']}"
        rows += [(label, claim) for claim in check_concepts(content["metrics"], items, seed)]
    return claim_table(rows)


def check_concepts(metrics: pd.DataFrame, items: pd.DataFrame, seed: int = 42) -> list[Claim]:
    """Check the claims against one record.

    :param metrics: Its rows.
    :param items: Its values by concept.
    """
    return [
        _excellent(_interval(metrics, Key("all", "overall"))),
        above(
            "A concept is nearer to its translations than to other concepts",
            "discriminability gap above 0",
            _interval(metrics, Key("all", "discriminability")),
        ),
        _by_meaning(metrics),
        *(_category(items, category, seed) for category in ("nature", "emotion")),
        _category(items, "scientific", seed, is_best=True),
        _lowest(items, "anger"),
        _diverges(metrics),
        *(_scripts(metrics, measure, sign) for measure, sign in (("centroid_distance", -1), ("retrieval", 1))),
    ]


def _interval(metrics: pd.DataFrame, key: Key) -> list[float]:
    return rows_of(metrics, key)[["value", "low", "high"]].iloc[0].tolist()


def _excellent(interval: Sequence[float]) -> Claim:
    lowest, label = GRADES[0]
    claim, shown_by = "Overall alignment is excellent (0.938)", f"overall score above {lowest}, its label {label}"
    return above(claim, shown_by, interval, lowest)._replace(why=f"the label of the value is {quality(interval[0])}")


def _by_meaning(metrics: pd.DataFrame) -> Claim:
    meaning, language = (_interval(metrics, Key("all", f"silhouette_{by}")) for by in ("concept", "language"))
    holds = meaning[1] > max(language[2], 0)
    return judged(
        "Words cluster by meaning, not by language",
        "silhouette by concept above 0 and above that by language",
        f"{with_interval(*meaning)} by concept, {with_interval(*language)} by language",
        f"the whole interval is {'' if holds else 'not '}above",
        holds=holds,
    )


def _category(items: pd.DataFrame, category: str, seed: int, is_best: bool = False) -> Claim:
    claim = f"Words of {_CATEGORIES.get(category, category)} align {'better' if is_best else 'worse'} than others"
    shown_by = f"{'higher' if is_best else 'lower'} mean cosine than the rest (permutation test, Holm)"
    sign = -1 if is_best else 1
    table = category_table(sign * items["intra_concept"].to_numpy(float), list(items["category"]), seed)
    if category not in table.index or len(table) < 2:
        return untestable(claim, shown_by, "the words have no such category beside others")
    row, rank = table.loc[category], int(table["value"].rank()[category])
    why = f"p = {row['p_value']:.4f}; number {rank} of {len(table)} categories from {'above' if is_best else 'below'}"
    value, low, high = sign * np.asarray(row[["value", "low", "high"]], float)
    text = with_interval(value, *sorted((low, high)))
    return judged(claim, shown_by, text, why, holds=bool(row["p_value"] < _SIGNIFICANT))


def _lowest(items: pd.DataFrame, concept: str) -> Claim:
    claim, shown_by = (
        f"{concept.capitalize()} aligns worst of all concepts",
        "the lowest mean cosine of its translations",
    )
    values = items.set_index("concept")["intra_concept"].dropna().sort_values()
    if concept not in values.index:
        return untestable(claim, shown_by, f"{concept} is not among the concepts")
    place = list(values.index).index(concept) + 1
    why = f"number {place} of {len(values)} from below; the lowest is {values.index[0]} ({values.iloc[0]:.3f})"
    why += "; a rank, without an interval"
    return judged(claim, shown_by, f"{values[concept]:.3f}", why, holds=place == 1)


def _diverges(metrics: pd.DataFrame) -> Claim:
    claim, shown_by = "German diverges systematically", "German farther from all others than chance (permutation test)"
    rows = rows_of(metrics, Key("language", "deviation", language=_STUDIED))
    if rows.empty:
        return untestable(claim, shown_by, "German is not among the languages")
    value, low, high = rows[["value", "low", "high"]].iloc[0]
    p_value = value_of(metrics, Key("language", "deviation/p-value", language=_STUDIED))
    text = with_interval(value, low, high, digits=3)
    return judged(claim, shown_by, text, f"p = {p_value:.4f}", holds=bool(p_value < _SIGNIFICANT and high < 0))


def _scripts(metrics: pd.DataFrame, measure: str, sign: int) -> Claim:
    """Check whether languages with a shared script are nearer, which would contradict the study.

    :param sign: 1 if a high value means near.
    """
    name = {"centroid_distance": "distance of mean vectors", "retrieval": "retrieval"}[measure]
    pairs = metrics[(metrics["kind"] == "pair") & (metrics["metric"] == measure)]
    margin = _ALIKE * float(pairs["value"].mean())
    claim = "A shared script does not bring languages nearer"
    shown_by = f"{name} in pairs of different branches of families: less than a tenth of its mean nearer"
    rows = rows_of(metrics, Key("all", f"shared-script/{measure}{AMONG_OTHERS}"))
    if rows.empty:
        return untestable(claim, shown_by, "no two languages of different branches share a script, or all do")
    value, low, high = rows[["value", "low", "high"]].iloc[0]
    p_value = value_of(metrics, Key("all", f"shared-script/{measure}{AMONG_OTHERS}/p-value"))
    text = with_interval(value, low, high, digits=3)
    least, most = sorted((sign * low, sign * high))  # how much nearer
    if most < margin:
        return judged(claim, shown_by, text, f"at most {most:.3f} nearer, and a tenth is {margin:.3f}", holds=True)
    if least <= 0:
        return untestable(claim, shown_by, f"the interval holds none and a tenth ({margin:.3f})", text)
    if p_value >= _SIGNIFICANT:
        why = f"nearer for these words, but scripts dealt out at random do as well (p = {p_value:.4f})"
        return untestable(claim, shown_by, f"{why}: too few languages", text)
    return judged(claim, shown_by, text, f"nearer (p = {p_value:.4f})", holds=False)
