"""Chapter 2: the claims of the affinity benchmark, checked against records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from xlutils.chapters.affinity import drift_table
from xlutils.chapters.benchmark import TIERS, tier
from xlutils.chapters.claims import Claim, above, claim_table, judged, untestable
from xlutils.chapters.objective import FEWEST, factor_tests, measured_models, reported_models
from xlutils.chapters.shipped import LEXICONS
from xlutils.chapters.tables import combine_means
from xlutils.chapters.wording import with_interval
from xlutils.models.catalogue import find_card, is_control
from xlutils.results.record import find_records, read_items

_ALL = "all models"
_SUPERVISED = ("translation ranking", "distillation")
_SIGNIFICANT = 0.05


def affinity_claims(records_dir: str | Path, seed: int = 42) -> pd.DataFrame:
    """Check the claims of the benchmark against the models that have records of all `LEXICONS`; see `claim_table`."""
    found: dict[str, dict[str, pd.DataFrame]] = {}
    for path in find_records(records_dir, "semantic-affinity"):
        if path.stem in LEXICONS and not is_control(path.parent.name):
            found.setdefault(path.parent.name, {})[path.stem] = read_items(path)
    complete = {model: items for model, items in found.items() if len(items) == len(LEXICONS)}
    return check_affinity({model: [items[name] for name in LEXICONS] for model, items in complete.items()}, seed)


def check_affinity(models: Mapping[str, Sequence[pd.DataFrame]], seed: int = 42) -> pd.DataFrame:
    """Check the claims against the items of records: for each model one table per lexicon, modern words first."""
    values = {model: [table["sa_pairs_value"].to_numpy(float) for table in tables] for model, tables in models.items()}
    rows = {model: combine_means(columns, seed=seed) for model, columns in values.items()}
    means = pd.DataFrame.from_dict(rows, orient="index", columns=["value", "low", "high"])
    claims = [(_ALL, _three_tiers(means))]
    claims += [(name, claim) for name, claim in _by_objective(means)]
    groups = {_ALL: measured_models(means), "reported values": reported_models()}
    claims += [(name, _determines(group, seed)) for name, group in groups.items()]
    claims += [(model, _drift(tables, seed)) for model, tables in models.items() if len(tables) > 1]
    return claim_table(claims)


def _three_tiers(means: pd.DataFrame) -> Claim:
    claim = f"Models fall into three tiers, with lines at {TIERS[0]:.2f} and {TIERS[1]:.2f}"
    shown_by = "models whose whole interval lies in each tier"
    tiers = {str(name): tier(*row) for name, row in zip(means.index, means.to_numpy(), strict=True)}
    occupied = set(tiers.values()) - {"between tiers"}
    text = ", ".join(f"{name}: {place}" for name, place in tiers.items())
    if len(occupied) == len(TIERS) + 1:
        return judged(claim, shown_by, text, f"{len(tiers)} models in all three tiers", holds=True)
    return untestable(claim, shown_by, f"{_models(len(tiers))}, in {len(occupied)} of three tiers", text)


def _by_objective(means: pd.DataFrame) -> list[tuple[str, Claim]]:
    high, low = TIERS
    claims = {
        _SUPERVISED: (
            "Supervision by translations gives strong alignment (0.68 to 0.70)",
            f"mean affinity above {high:.2f}",
        ),
        ("large-language-model embedding",): (
            "Embeddings of large language models plateau between 0.55 and 0.61",
            "whole interval between them",
        ),
        ("masked words only",): (
            "Models trained on masked words only stay below 0.50",
            f"mean affinity below {low:.2f}",
        ),
    }
    rows = []
    for objectives, (claim, shown_by) in claims.items():
        chosen = [name for name in means.index if (card := find_card(str(name))) and card.objective in objectives]
        if not chosen:
            rows.append((_ALL, untestable(claim, shown_by, "no model with this objective was measured")))
        for name in chosen:
            value, least, most = means.loc[name, ["value", "low", "high"]]
            if objectives == _SUPERVISED:
                rows.append((name, above(claim, shown_by, (value, least, most), high, digits=3)))
                continue
            holds = most < low if objectives == ("masked words only",) else least >= 0.55 and most <= 0.61
            why = "the whole interval is there" if holds else "the interval is not within these bounds"
            text = with_interval(value, least, most, digits=3)
            rows.append((name, judged(claim, shown_by, text, why, holds=holds)))
    return rows


def _determines(models: pd.DataFrame, seed: int) -> Claim:
    claim = "The training objective, not architecture or size, determines alignment"
    shown_by = "only the objective goes with the order of the models (permutation test, Holm)"
    tests = factor_tests(models, seed)
    if "objective" not in tests.dropna().index:
        return untestable(claim, shown_by, f"{_models(len(models))}; the test needs {FEWEST}")
    text = ", ".join(f"{name} {row['share']:.2f} (p = {row['p_value']:.3f})" for name, row in tests.dropna().iterrows())
    if models["value"].isna().any():
        return untestable(
            claim, shown_by, "most values are ranges reported by objective, so the test is circular", text
        )
    significant = set(tests.index[tests["p_value"] < _SIGNIFICANT])
    others = [name for name in ("architecture", "size") if name in significant]
    holds = "objective" in significant and not others
    why = "the objective alone does" if holds else f"so does {' and '.join(others)}"
    if "objective" not in significant:
        why = "the objective does not"
    return judged(claim, shown_by, text, f"{why}; {_models(len(models))}", holds=holds)


def _drift(tables: Sequence[pd.DataFrame], seed: int) -> Claim:
    """Check whether early characters have moved away from their glosses more often than modern words."""
    claim = "Oracle-bone primitives expose semantic drift"
    shown_by = "share nearer to a modern word than to their gloss, minus that of everyday words"
    drift = drift_table({"": tables}, seed)
    if drift.empty:
        return untestable(claim, shown_by, "the records do not compare characters with modern words")
    row = drift.iloc[0]
    why = f"{row['moved']:.0%} of {row['characters']:.0f} readable characters, {row['modern']:.0%} of everyday words"
    why += "; whether age or rarity does it, this cannot tell"
    return above(claim, shown_by, row[["value", "low", "high"]].tolist())._replace(why=why)


def _models(count: int) -> str:
    return f"{count} model{'' if count == 1 else 's'}"
