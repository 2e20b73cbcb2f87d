"""The scenarios of mixed-language retrieval: which languages are in the pool, and which one asks."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from xlutils.errors import XlError, unknown

PIVOT = "en"
KINDS = ("mono-same", "mono-cross", "multi", "multi-1", "no-english", "wide", "third")


@dataclass(frozen=True)
class Scenario:
    """One pool, one language of queries.

    :param kind: "multi": all golds of a query are in the pool and wanted. "multi-1": the gold in the query's
        own language is taken out. "mono-same" and "mono-cross": one language in the pool.
    :param pool: Languages of the documents.
    :param query: Language of the queries.
    """

    kind: str
    pool: tuple[str, ...]
    query: str

    @property
    def name(self) -> str:
        """Its name in records, such as `multi/en+zh/zh`."""
        return f"{self.kind}/{'+'.join(self.pool)}/{self.query}"

    @property
    def group(self) -> str:
        """One of `KINDS`: tells the pools that count as "multi" apart."""
        if self.kind != "multi":
            return self.kind
        if self.query not in self.pool:
            return "third"
        if len(self.pool) > 2:
            return "wide"
        return "multi" if PIVOT in self.pool else "no-english"

    @property
    def golds(self) -> tuple[str, ...]:
        """Languages of the golds."""
        return tuple(code for code in self.pool if self.kind != "multi-1" or code != self.query)


def make_scenarios(kinds: Sequence[str], targets: Sequence[str]) -> list[Scenario]:
    """List the scenarios for some languages beside English.

    :param kinds: Some of `KINDS`. Beside the four of Hong et al. (2025): "no-english" pools two of the targets,
        "wide" pools English and all targets, and "third" asks a pool of two languages in another one. All
        three are of the kind "multi".
    :param targets: Languages other than English.
    :raises XlError: On an unknown kind, or targets that do not allow any scenario of one.
    """
    if PIVOT in targets:
        raise XlError("languages: English is in every pool already; name the others")
    pairs = [(PIVOT, target) for target in targets]
    made: list[Scenario] = []
    for kind in kinds:
        if kind not in KINDS:
            raise unknown("scenario", kind, KINDS)
        if kind == "mono-same":
            new = [Scenario(kind, (code,), code) for code in (PIVOT, *targets)]
        elif kind == "mono-cross":
            new = [Scenario(kind, (pool,), query) for pair in pairs for pool, query in itertools.permutations(pair)]
        elif kind in ("multi", "multi-1"):
            new = [Scenario(kind, pair, query) for pair in pairs for query in pair]
        elif kind == "no-english":
            new = [Scenario("multi", pair, query) for pair in itertools.combinations(targets, 2) for query in pair]
        elif kind == "wide":
            pool = (PIVOT, *targets)
            new = [Scenario("multi", pool, query) for query in pool if len(targets) > 1]
        else:
            new = [Scenario("multi", pair, query) for pair in pairs for query in targets if query not in pair]
        made += new
    if not made:
        raise XlError(f"the scenarios {', '.join(kinds)} need two languages beside English")
    return made
