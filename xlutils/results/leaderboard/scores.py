"""Rows and columns of the leaderboard, the scores in its cells, and ranks that respect the intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from xlutils.datasets.languages import language_name
from xlutils.models.catalogue import ModelCard, find_card
from xlutils.results.rows import Key

Source = tuple[str, str, Key]  # experiment, name of the record's file, and key of the value
Kind = Literal["measured", "control", "reported"]
_MADE_FROM = {"xquad": ("SQuAD",)}  # training data that contain the questions, by data set


@dataclass(frozen=True)
class Score:
    """One cell.

    :param value: The number.
    :param low: Lower bound of its 95% interval, None if unknown; `high` likewise.
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
    :param heading: Name shown above the column; `about` is one line about what it says.
    :param sources: Where the scores are from; the score is the mean over all sources.
    :param best: The value to be close to; infinity where more is better.
    :param form: Format of a number, such as ".1f".
    :param questions: Question set that it belongs to; empty for a column that is always shown.
    :param language: Language of the queries; empty for the mean over all languages.
    :param is_detail: Whether it is part of another column and shown on demand only.
    :param only_learned: Whether pools in a language that a model never learned do not count for that model.
    :param reported: Keys of the reported scores that it is the mean of; the column's own key if empty.
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
    only_learned: bool = False
    reported: tuple[str, ...] = ()


@dataclass(frozen=True)
class Row:
    """One model.

    :param name: Its name in records.
    :param label: Its name on the board.
    :param kind: Measured here, a control that knows nothing, or reported by others.
    :param revision: Exact version of its weights, or the publication that reports it.
    :param speeds: Texts encoded per second and the machine, by data set, unless all came from the store.
    :param reported: Scores that others reported, by key of the column.
    :param protocol: How others measured, where it differs from the other columns.
    """

    name: str
    label: str
    kind: Kind
    revision: str
    speeds: Mapping[str, tuple[float, str]] = field(default_factory=dict)
    reported: Mapping[str, float] = field(default_factory=dict)
    protocol: str = ""

    @property
    def card(self) -> ModelCard | None:
        """Entry of the catalogue; None for other models."""
        return find_card(self.name)

    def unlearned(self, pool: str) -> list[str]:
        """Return the languages of a pool, such as "en+vi", that the model is known not to have learned."""
        return [code for code in pool.split("+") if self.card and code and self.card.learned(code) is False]

    def seen(self, dataset: str) -> str:
        """Return which training data are known to contain the source of a data set, in words."""
        if self.kind == "control":
            return "no"
        if self.card is None or "not published" in self.card.trained_on:
            return "not known"
        sources = [name for name in _MADE_FROM.get(dataset, ()) if name in self.card.trained_on]
        return ", ".join(sources) or "none known"


@dataclass(frozen=True, eq=False)
class Board:
    """The whole leaderboard.

    :param rows: The models; `columns` likewise the measures, and `sets` the question sets, the main one first.
    :param parts: Every value in the records, by its source and by row number.
    :param left_out: Records that are not on it, and why.
    """

    rows: tuple[Row, ...]
    columns: tuple[Column, ...]
    sets: tuple[str, ...]
    parts: Mapping[Source, Mapping[int, Score]]
    left_out: tuple[str, ...]

    @cache  # noqa: B019 - a board lives as long as its page
    def scores(self, column: Column) -> dict[int, Score]:
        """Return the scores of a column by row number, where no part of it is missing."""
        scores = {}
        is_same = len({source[:2] for source in column.sources}) == 1  # one record: the same questions
        for number, row in enumerate(self.rows):
            numbers = [row.reported.get(key) for key in column.reported or (column.key,)]
            values = [value for value in numbers if value is not None]
            if len(values) == len(numbers):
                scores[number] = Score(sum(values) / len(values))
            sources = [each for each in column.sources if not (column.only_learned and row.unlearned(each[2].pool))]
            parts = [self.parts.get(source, {}).get(number) for source in sources]
            found = [part for part in parts if part]
            if found and len(found) == len(parts):
                scores[number] = _mean(found, same_items=is_same)
        return dict(sorted(scores.items()))

    def never_learned(self, number: int) -> str:
        """Say which languages the means of a row include although the model never learned them; empty if none."""
        measured = [key for (_, _, key), scores in self.parts.items() if number in scores]
        pools = {pool for key in measured for pool in (key.pool, key.query)}
        codes = {code for pool in pools for code in self.rows[number].unlearned(pool)}
        names = sorted(map(language_name, codes))
        return f"never learned: {', '.join(names)}" if names else ""

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


def _mean(parts: Sequence[Score], same_items: bool) -> Score:
    """Return the mean of scores: errors on the same items add up, errors on different items add up in squares."""

    def half_width(widths: Sequence[float]) -> float:
        total = sum(widths) if same_items else math.sqrt(sum(width**2 for width in widths))
        return total / len(widths)

    value = sum(part.value for part in parts) / len(parts)
    records = tuple(dict.fromkeys(path for part in parts for path in part.records))
    lows = [part.value - part.low for part in parts if part.low is not None]
    highs = [part.high - part.value for part in parts if part.high is not None]
    if len(lows) < len(parts):
        return Score(value, records=records)
    return Score(value, value - half_width(lows), value + half_width(highs), records)
