"""Chapter 2: what the records that come with the book say about Semantic Affinity, before anything is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from xlutils.chapters.benchmark import tier
from xlutils.chapters.tables import combine_means
from xlutils.chapters.wording import with_interval
from xlutils.datasets.languages import LANGUAGES
from xlutils.datasets.text import in_markdown
from xlutils.results.record import read_items, read_record
from xlutils.results.rows import Key, value_of

LEXICONS = ("everyday", "culture", "untranslatable", "oracle-bone")  # modern words first, early characters last
_PAIR = ("en", "zh")
_NEAR = 0.05  # lead over random vectors that counts as small
_WORDS = "concepts-extended"  # of chapter 1, with one word per concept and language


def shipped_scores(records: Path, models: Sequence[str], lexicons: Sequence[str], seed: int = 42) -> pd.DataFrame:
    """Return the mean affinity and the share of words that find their translation first, one row per model.

    :param records: Folder of the records.
    :param models: Names; of the last one the lead of the others is measured, concept by concept.
    :param lexicons: Names of the lexicons of the affinities, in English and Chinese.
    :return: Columns sa (weighted as published), tier, found (in both directions between English and Chinese), and
        lead, low, high.
    """
    values = {model: _affinities(records / "semantic-affinity" / model, lexicons) for model in models}
    rows = {}
    for model in models:
        differences = [a - b for a, b in zip(values[model], values[models[-1]], strict=True)]
        mean = combine_means(values[model], seed=seed)
        rows[model] = (
            mean[0],
            tier(*mean),
            _found(records / "concept-alignment" / model / f"{_WORDS}.json"),
            *combine_means(differences, seed=seed),
        )
    return pd.DataFrame.from_dict(rows, orient="index", columns=["sa", "tier", "found", "lead", "low", "high"])


def finding(records: Path, model: str = "multilingual-e5-small-q4", control: str = "control-random") -> str:
    """Return in words, as Markdown, what Semantic Affinity makes of a model, and whether it finds translations.

    :param records: Folder of the records.
    """
    if not records.is_dir():
        return "The main finding is computed from the records of the book, which are not in this folder."
    return describe(shipped_scores(records, (model, control), LEXICONS))


def describe(scores: pd.DataFrame) -> str:
    """Return the finding in words, as Markdown.

    :param scores: `shipped_scores` of a model and of a control that knows nothing.
    """
    (model, one), (_, other) = scores.iterrows()
    names = " and ".join(LANGUAGES[code].name for code in _PAIR)
    lead, name = with_interval(one["lead"], one["low"], one["high"], digits=3), f"*{in_markdown(str(model))}*"
    text = f"Semantic Affinity does not tell {name} from vectors drawn at random, the difference is {lead}"
    if not one["low"] <= 0 <= one["high"]:
        side = "above" if one["lead"] > 0 else "below"
        text = f"Semantic Affinity puts {name} {side} vectors drawn at random, by {lead}"
    text = (
        f"**The main finding.** {text}: {one['sa']:.3f} and {other['sa']:.3f} (tiers of the benchmark: "
        f"*{one['tier']}* and *{other['tier']}*). In a search for the words of chapter 1 between {names}, this model "
        f"finds the translation first for {one['found']:.0%} of them, random vectors for {other['found']:.0%}."
    )
    if one["high"] < _NEAR and one["found"] > 0.5 > other["found"]:
        text += " So a low affinity does not mean that a model cannot find translations."
    return text


def _affinities(folder: Path, lexicons: Sequence[str]) -> list[NDArray[np.float64]]:
    return [read_items(folder / f"{lexicon}.json")["sa_pairs_value"].to_numpy(float) for lexicon in lexicons]


def _found(path: Path) -> float:
    metrics = read_record(path)["metrics"]
    one, other = _PAIR
    return sum(value_of(metrics, Key("pair", "retrieval", *pair)) for pair in ((one, other), (other, one))) / 2
