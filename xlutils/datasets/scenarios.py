"""The scenarios of mixed-language retrieval: languages of the pool and language of the questions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from xlutils.errors import XlError, unknown

PIVOT = "en"
KINDS = ("mono-same", "mono-cross", "multi", "multi-1", "no-english", "wide", "third")


@dataclass(frozen=True)
class Scenario:
    """One pool and the language of the questions.

    :param kind: "multi": the gold passages of all languages are in the pool and wanted. "multi-1": the gold passage
        in the language of the question is removed. "mono-same" and "mono-cross": one language in the pool.
    :param pool: Languages of the passages.
    :param query: Language of the questions.
    """

    kind: str
    pool: tuple[str, ...]
    query: str

    @property
    def name(self) -> str:
        """Name in records, such as `multi/en+zh/zh`."""
        return f"{self.kind}/{'+'.join(self.pool)}/{self.query}"

    @property
    def group(self) -> str:
        """One of `KINDS`, which distinguish between the pools of the kind "multi"."""
        if self.kind != "multi":
            return self.kind
        if self.query not in self.pool:
            return "third"
        if len(self.pool) > 2:
            return "wide"
        return "multi" if PIVOT in self.pool else "no-english"

    @property
    def golds(self) -> tuple[str, ...]:
        """Languages of the gold passages."""
        return tuple(code for code in self.pool if self.kind != "multi-1" or code != self.query)


def make_scenarios(kinds: Sequence[str], targets: Sequence[str]) -> list[Scenario]:
    """Return the scenarios of some kinds.

    :param kinds: Some of `KINDS`. The first four are those of Hong et al. "no-english" pools two of the targets,
        "wide" pools English and all targets, and "third" asks a pool of two languages in another one.
    :param targets: Languages other than English.
    :raises XlError: If a kind is unknown, or the targets allow no scenario at all.
    """
    if PIVOT in targets:
        raise XlError("languages: English is in every pool already; list only the other languages")
    scenarios: list[Scenario] = []
    for kind in kinds:
        if kind not in KINDS:
            raise unknown("scenario", kind, KINDS)
        scenarios += _scenarios_of(kind, targets)
    if not scenarios:
        raise XlError(f"the scenarios {', '.join(kinds)} need two languages besides English")
    return scenarios


def _scenarios_of(kind: str, targets: Sequence[str]) -> list[Scenario]:
    everything = (PIVOT, *targets)
    pairs = [(PIVOT, target) for target in targets]
    if kind == "mono-same":
        return [Scenario(kind, (code,), code) for code in everything]
    if kind == "mono-cross":
        return [Scenario(kind, (pool,), query) for pair in pairs for pool, query in itertools.permutations(pair)]
    if kind in ("multi", "multi-1"):
        return [Scenario(kind, pair, query) for pair in pairs for query in pair]
    if kind == "no-english":
        return [Scenario("multi", pair, query) for pair in itertools.combinations(targets, 2) for query in pair]
    if kind == "wide":
        return [Scenario("multi", everything, query) for query in everything if len(targets) > 1]
    return [Scenario("multi", pair, query) for pair in pairs for query in targets if query not in pair]
