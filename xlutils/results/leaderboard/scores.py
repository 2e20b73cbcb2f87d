"""Scores, rows and columns of the leaderboard, and ranks that respect the intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from xlutils.models.catalogue import ModelCard, find_card

What = tuple[str, str]  # experiment, and name of the record's file without its ending
Source = tuple[str, str, str]  # experiment, file name, metric
Kind = Literal["measured", "control", "reported"]
_MADE_FROM = {"xquad": ("SQuAD",)}  # training data that contain the questions, by data set


@dataclass(frozen=True)
class Score:
    """One cell.

    :param value: The number.
    :param low: Lower bound of its 95% interval; None if unknown.
    :param high: Upper bound.
    :param records: Paths of the records it comes from.
    """

    value: float
    low: float | None = None
    high: float | None = None
    records: tuple[str, ...] = ()


@dataclass(frozen=True)
class Column:
    """One measure.

    :param key: Short name, unique on the board.
    :param heading: Name shown above the column.
    :param about: One line about what it says.
    :param sources: Where the scores come from; the score is the mean over all sources.
    :param best: The value to be close to; infinity where more is better.
    :param form: Format of a number, such as ".1f".
    :param questions: Question set that it belongs to; empty for a column that is always shown.
    :param language: Language of the queries; empty for the mean over all languages.
    :param is_detail: Whether it is part of another column and shown on demand only.
    :param same_items: Whether all sources ask the same questions, so that their errors add up.
    """

    key: str
    heading: str
    about: str
    sources: tuple[Source, ...]
    best: float = math.inf
    form: str = ".1f"
    questions: str = ""
    language: str = ""
    is_detail: bool = False
    same_items: bool = False


@dataclass(frozen=True)
class Row:
    """One model.

    :param name: Its name in records.
    :param label: Its name on the board.
    :param kind: Measured here, a control that knows nothing, or reported by others.
    :param revision: Exact version of its weights, or the publication that reports it.
    :param contents: Its records.
    :param paths: The paths of these records.
    :param reported: Scores that others reported, by key of the column.
    """

    name: str
    label: str
    kind: Kind
    revision: str
    contents: Mapping[What, Mapping[str, Any]] = field(default_factory=dict)
    paths: Mapping[What, str] = field(default_factory=dict)
    reported: Mapping[str, float] = field(default_factory=dict)

    @property
    def card(self) -> ModelCard | None:
        """Entry of the catalogue; None for other models."""
        return find_card(self.name)

    def score(self, column: Column) -> Score | None:
        """Return the score in a column; None if a part of it was not measured."""
        if column.key in self.reported:
            return Score(self.reported[column.key])
        parts = [part for source in column.sources if (part := self._part(*source))]
        if len(parts) < len(column.sources):
            return None
        value = sum(part.value for part in parts) / len(parts)
        records = tuple(dict.fromkeys(path for part in parts for path in part.records))
        bounds = [
            (part.value - part.low, part.high - part.value)
            for part in parts
            if part.low is not None and part.high is not None
        ]
        if len(bounds) < len(parts):
            return Score(value, records=records)
        below, above = (_half_width(widths, column.same_items) for widths in zip(*bounds, strict=True))
        return Score(value, value - below, value + above, records)

    def _part(self, experiment: str, stem: str, metric: str) -> Score | None:
        """Return one metric of one record."""
        content = self.contents.get((experiment, stem))
        if content is None or metric not in content["metrics"]:
            return None
        low, high = content["ci95"].get(metric, (None, None))
        return Score(content["metrics"][metric], low, high, (self.paths.get((experiment, stem), ""),))

    def speed(self, dataset: str) -> tuple[float, str] | None:
        """Return texts of a data set encoded per second, and the machine; None if all came from the store."""
        for (experiment, stem), content in sorted(self.contents.items()):
            speed = content["timing"].get("texts-per-second")
            if experiment == "mixed-retrieval" and stem.split(".")[0] == dataset and speed:
                return speed, content["environment"]["gpu"] or content["environment"]["cpu"]
        return None

    def seen(self, dataset: str) -> str:
        """Return which training data are known to contain the source of a data set, in words."""
        if self.kind == "control":
            return "no"
        if self.card is None or "not published" in self.card.trained_on:
            return "not known"
        sources = [name for name in _MADE_FROM.get(dataset, ()) if name in self.card.trained_on]
        return ", ".join(sources) or "none known"


@dataclass(frozen=True)
class Board:
    """The whole leaderboard.

    :param rows: The models.
    :param columns: The measures.
    :param left_out: Records that are not on it, and why.
    """

    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    left_out: tuple[str, ...]

    def scores(self, column: Column) -> dict[int, Score]:
        """Return the scores of a column by row number."""
        return {number: score for number, row in enumerate(self.rows) if (score := row.score(column))}

    def ranks(self, column: Column) -> dict[int, int]:
        """Return the ranks of the measured models in a column by row number, without the controls."""
        scores = {n: score for n, score in self.scores(column).items() if self.rows[n].kind == "measured"}
        return ranks(scores, column.best)


def ranks(scores: Mapping[int, Score], best: float = math.inf) -> dict[int, int]:
    """Rank scores: 1 plus the number of models ahead, so that models sharing a rank cannot be told apart.

    A model is ahead if it leads by more than the two half-widths of the intervals combined like errors of
    independent samples, or if it is ahead of a model that is ahead. Models that answer the same questions err alike,
    so this rule misses differences rather than inventing them. Scores without an interval get no rank.

    :param scores: By row number.
    :param best: The value to be close to.
    """
    goodness = {key: _goodness(score, best) for key, score in scores.items() if score.low is not None}

    def is_better(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
        return one[0] - other[0] > math.hypot(one[0] - one[1], other[2] - other[0])

    ahead: dict[int, set[int]] = {}
    for key in sorted(goodness, key=lambda key: -goodness[key][0]):
        better = [other for other in ahead if is_better(goodness[other], goodness[key])]
        ahead[key] = set(better).union(*(ahead[other] for other in better))
    return {key: 1 + len(ahead[key]) for key in goodness}


def _goodness(score: Score, best: float) -> tuple[float, float, float]:
    """Turn a score and its bounds into numbers of which more is better."""
    low, high = float(score.low or 0), float(score.high or 0)
    if math.isinf(best):
        return score.value, low, high
    ends = [-abs(bound - best) for bound in (low, high)]
    return -abs(score.value - best), min(ends), 0.0 if low <= best <= high else max(ends)


def _half_width(widths: Sequence[float], same_items: bool) -> float:
    """Half-width of a mean: errors on the same items add up, errors on different items add up in squares."""
    total = sum(widths) if same_items else math.sqrt(sum(width**2 for width in widths))
    return total / len(widths)
