"""Chapter 8: what a model is asked before and after it was adapted, item by item."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xlutils.chapters.outcomes import Exam, all_values
from xlutils.chapters.relations import encode_pairs
from xlutils.chapters.retrieval import RetrievalStudy, study_retrieval
from xlutils.datasets.files import content_hash
from xlutils.datasets.relations import TextPairs
from xlutils.datasets.scenarios import PIVOT
from xlutils.metrics.relations import opposites_told_apart
from xlutils.models.encoder import Encoder
from xlutils.results.rows import Key
from xlutils.training.language_maps import LanguageMaps

ACROSS, WITHIN, ANTONYMS = "complete@10", "within", "antonyms"
_ASKED = (ACROSS, "max@r", "some-first")  # of pools of English and another language
Marks = dict[str, NDArray[np.float64]]  # by metric: scores, [items, languages], NaN where a language lacks an item
Encoded = tuple[list[RetrievalStudy], dict[str, tuple[np.ndarray, np.ndarray]]]


@dataclass(frozen=True)
class Course:
    """What models are asked before and after: questions in mixed pools and in one language, and antonyms.

    In pools of English and another language, as in chapter 4 and as the mean of both languages that ask: "complete@10"
    in percent, "max@r", and "some-first", how often some gold passage comes first. "within" is how often the gold
    passage comes first in a pool of one language; "antonyms", how often a word is nearer to its translation than to the
    translated antonym.

    :param exams: Scenarios of the kinds "multi" and "mono-same"; each language is in one of them.
    :param antonyms: Pairs of words; None for none.
    """

    exams: tuple[Exam, ...]
    antonyms: TextPairs | None = None

    @property
    def languages(self) -> list[str]:
        """All languages, English first."""
        return list(dict.fromkeys([PIVOT, *itertools.chain(*(exam.data.languages for exam in self.exams))]))

    @property
    def facts(self) -> dict[str, Any]:
        """The record's `dataset`."""
        parts: list[Any] = [*(exam.data for exam in self.exams), *([self.antonyms] if self.antonyms else [])]
        name, sha256 = "+".join(part.name for part in parts), content_hash([part.sha256 for part in parts])
        return {"name": name, "sha256": sha256, "languages": self.languages, "size": len(self.clusters(ACROSS))}

    def clusters(self, metric: str) -> NDArray[np.int64]:
        """Return the number of the passage of each question, or of the pair of antonyms."""
        if metric == ANTONYMS:
            return np.arange(len(self.antonyms.ids) if self.antonyms else 0)
        starts = itertools.accumulate((len(exam.data.passage_ids) for exam in self.exams), initial=0)
        return np.concatenate([exam.data.gold + start for exam, start in zip(self.exams, starts, strict=False)])

    def encode(self, encoder: Encoder) -> Encoded:
        """Encode all texts: the exams, and both sides of the antonyms by language."""
        sides = encode_pairs(encoder, self.antonyms) if self.antonyms else {}
        return [study_retrieval(encoder, exam) for exam in self.exams], sides

    def marks(self, encoded: Encoded, maps: LanguageMaps | None = None) -> Marks:
        """Return the scores of every item.

        :param encoded: As from `encode`.
        :param maps: Maps for some of the languages.
        """

        def moved(vectors: np.ndarray, code: str) -> np.ndarray:
            return maps.apply(vectors, code) if maps and code in maps.maps else vectors

        studies, sides = encoded
        parts = []
        for study in studies:
            spaces = [{code: moved(space[code], code) for code in space} for space in (study.queries, study.passages)]
            parts.append(self._asked(study.again(queries=spaces[0], passages=spaces[1]) if maps else study))
        marks = {metric: np.concatenate([part[metric] for part in parts]) for metric in parts[0]}
        if self.antonyms:
            marks[ANTONYMS] = np.full((len(self.antonyms.ids), len(self.languages)), np.nan)
            for number, code in enumerate(self.languages):
                if code != PIVOT and code in sides:
                    rows = self.antonyms.rows("antonym", code, PIVOT)
                    own = [moved(side[rows], code) for side in sides[code]]
                    marks[ANTONYMS][rows, number] = opposites_told_apart(own, [side[rows] for side in sides[PIVOT]])
        return marks

    def _asked(self, study: RetrievalStudy) -> Marks:
        values = all_values(study.outcomes, study.exam.k)
        marks = {
            metric: np.full((len(study.exam.data.gold), len(self.languages)), np.nan) for metric in (*_ASKED, WITHIN)
        }
        for number, code in enumerate(self.languages):
            if code in study.exam.data.languages:
                marks[WITHIN][:, number] = values[Key("mono-same", "ndcg@1", code, code)]
                for metric in _ASKED if code != PIVOT else ():
                    both = [values[Key("multi", metric, f"{PIVOT}+{code}", asked)] for asked in (PIVOT, code)]
                    marks[metric][:, number] = np.mean(both, axis=0)
        return marks


def only_antonyms(pairs: TextPairs) -> TextPairs:
    """Return the antonyms among pairs of related words."""
    rows = [row for row, group in enumerate(pairs.groups) if group == "antonym"]

    def some(column: Sequence[str]) -> tuple[str, ...]:
        return tuple(column[row] for row in rows)

    sides = [{code: some(column) for code, column in side.items()} for side in (pairs.first, pairs.second)]
    return replace(
        pairs,
        ids=some(pairs.ids),
        groups=some(pairs.groups),
        labels=some(pairs.labels),
        first=sides[0],
        second=sides[1],
    )
