"""Scores, rows and columns of the leaderboard, and ranks that respect the intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from xlutils.models.catalogue import ModelCard, find_card

Source = tuple[str, str, str]  # experiment, stem of the record, metric
Kind = Literal["measured", "control", "reported"]
_HELD_IN = {"xquad": ("SQuAD",)}  # training data that give questions away, by data set


@dataclass(frozen=True)
class Score:
    """One cell.

    :param value: The number.
    :param low: Lower bound of its 95% interval; None where none is known.
    :param high: Upper bound.
    :param records: Where it comes from: paths of records.
    """

    value: float
    low: float | None
    high: float | None
    records: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """One measure.

    :param key: Short name, unique on the board.
    :param heading: As shown.
    :param about: What it says, in a line.
    :param sources: Where it comes from; the mean of several.
    :param best: Value to be near to: infinity where more is better.
    :param form: How a number is written.
    :param questions: Stem of the question set that it belongs to; empty for what is always shown.
    :param language: Language asked in; empty for the mean of all.
    :param is_detail: Whether it is a part of another column, shown on demand.
    :param same_items: Whether several sources ask the same questions, so that their errors add up.
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
    :param label: As shown.
    :param kind: Whether it was measured, knows nothing, or was reported by others.
    :param revision: Exact version of its weights, or who reported it.
    :param contents: Its records by experiment and stem.
    :param paths: Their paths, in the same way.
    :param reported: What others reported, by key of the column.
    """

    name: str
    label: str
    kind: Kind
    revision: str
    contents: Mapping[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    paths: Mapping[tuple[str, str], str] = field(default_factory=dict)
    reported: Mapping[str, float] = field(default_factory=dict)

    @property
    def card(self) -> ModelCard | None:
        """What the catalogue knows of it."""
        return find_card(self.name)

    def score(self, column: Column) -> Score | None:
        """Find its score in a column: None where a part of it was not measured."""
        if column.key in self.reported:
            return Score(self.reported[column.key], None, None, ())
        found = []
        for experiment, stem, metric in column.sources:
            content = self.contents.get((experiment, stem))
            if content is None or metric not in content["metrics"]:
                return None
            found.append((content["metrics"][metric], content["ci95"].get(metric)))
        value = sum(each for each, _ in found) / len(found)
        records = dict.fromkeys(self.paths.get(source[:2], "") for source in column.sources)
        intervals = [(each, bounds) for each, bounds in found if bounds]
        if len(intervals) < len(found):
            return Score(value, None, None, tuple(records))
        below = _half_width([each - bounds[0] for each, bounds in intervals], column.same_items)
        above = _half_width([bounds[1] - each for each, bounds in intervals], column.same_items)
        return Score(value, value - below, value + above, tuple(records))

    def speed(self, dataset: str) -> tuple[float, str] | None:
        """Texts of a data set that it encodes in a second, and on what; None where all vectors came from the store."""
        for (experiment, stem), content in sorted(self.contents.items()):
            speed = content["timing"].get("texts-per-second")
            if experiment == "mixed-retrieval" and stem.split(".")[0] == dataset and speed:
                return speed, content["environment"]["gpu"] or content["environment"]["cpu"]
        return None

    def seen(self, dataset: str) -> str:
        """Say whether the training data are known to hold the source of a data set."""
        if self.kind == "control":
            return "no"
        if self.card is None or "not published" in self.card.trained_on:
            return "not known"
        held = [name for name in _HELD_IN.get(dataset, ()) if name in self.card.trained_on]
        return ", ".join(held) or "none known"


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
        """Find the scores of a column, by the number of the row."""
        found = {number: row.score(column) for number, row in enumerate(self.rows)}
        return {number: score for number, score in found.items() if score}

    def ranks(self, column: Column) -> dict[int, int]:
        """Rank the measured models of a column, by the number of the row."""
        scores = {n: score for n, score in self.scores(column).items() if self.rows[n].kind == "measured"}
        return ranks(scores, column.best)


def ranks(scores: Mapping[int, Score], best: float = math.inf) -> dict[int, int]:
    """Rank scores: one more than the number of those that are ahead, so that who shares a rank cannot be told apart.

    Ahead is who is surely better, and who is ahead of one who is. Surely better is who leads by more than both
    half-widths of the intervals together, added as errors of independent samples. Models that answer the same
    questions err alike, so this sees too few differences rather than too many. Scores without an interval get no rank.

    :param scores: By number of the row.
    :param best: Value to be near to.
    """
    goodness = {key: _goodness(score, best) for key, score in scores.items() if score.low is not None}

    def is_better(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
        return one[0] - other[0] > math.hypot(one[0] - one[1], other[2] - other[0])

    ahead: dict[int, set[int]] = {}
    for key in sorted(goodness, key=lambda each: -goodness[each][0]):
        better = [other for other in ahead if is_better(goodness[other], goodness[key])]
        ahead[key] = set(better).union(*(ahead[other] for other in better))
    return {key: 1 + len(ahead[key]) for key in goodness}


def _goodness(score: Score, best: float) -> tuple[float, float, float]:
    """Turn a score and its bounds so that more is better."""
    low, high = float(score.low or 0), float(score.high or 0)
    if math.isinf(best):
        return score.value, low, high
    ends = [-abs(bound - best) for bound in (low, high)]
    return -abs(score.value - best), min(ends), 0.0 if low <= best <= high else max(ends)


def _half_width(widths: Sequence[float], same_items: bool) -> float:
    """Half-width of a mean: errors of the same items add up, those of others in squares."""
    total = sum(widths) if same_items else math.sqrt(sum(width**2 for width in widths))
    return total / len(widths)
