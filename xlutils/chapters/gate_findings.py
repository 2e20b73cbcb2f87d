"""The gate: what changed in one measure of a language, or of all languages together, and whether it matters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xlutils.chapters.gate_values import Rows
from xlutils.metrics.drift import mean_loss_p_value
from xlutils.metrics.uncertainty import bootstrap_ci, holm

LEVEL = 0.05  # chance of any false alarm, over all languages and measures
LEAST = 20  # canaries; fewer are no test
TOGETHER = "all together"  # in place of a language: the mean over those that can be judged
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Finding:
    """One measure in one language.

    :param rows: Canaries, int [n].
    :param before: Their values with the base, float64 [n]; `after`: with the candidate.
    :param low: Lower bound of the 95% interval of the mean change; `high`: upper bound.
    :param margin: Fall that does not matter.
    :param p_value: Of a change below minus the margin, corrected for all languages and measures.
    :param least: How many canaries must be lost to be noticed, None if even all are too few.
    """

    language: str
    measure: str
    rows: Rows
    before: Floats
    after: Floats
    low: float
    high: float
    margin: float
    p_value: float
    least: int | None

    @property
    def change(self) -> float:
        """Mean of after minus before."""
        return float((self.after - self.before).mean())

    @property
    def is_worse(self) -> bool:
        """Whether the loss is larger than the margin, with confidence."""
        return self.p_value <= LEVEL

    @property
    def can_judge(self) -> bool:
        """Whether losing all that the base reaches would be noticed, or the candidate is better and reaches enough."""
        reached = self.after if self.low > 0 else self.before
        return self.least is not None and float(reached.sum()) >= self.least

    @property
    def is_doubtful(self) -> bool:
        """Whether this measure alone, uncorrected, would be called worse."""
        return not self.is_worse and self.high < -self.margin


def corrected(findings: list[Finding]) -> list[Finding]:
    """Return findings with p-values that are corrected for their number, and for half of the level."""
    p_values = holm([finding.p_value for finding in findings]) if findings else ()
    doubled = (min(2 * float(p_value), 1.0) for p_value in p_values)
    return [replace(finding, p_value=p_value) for finding, p_value in zip(findings, doubled, strict=True)]


def together(measured: Sequence[Finding], margin: float, seed: int) -> Iterator[Finding]:
    """Yield each measure of two languages or more in their mean, one value per canary."""
    for measure in dict.fromkeys(finding.measure for finding in measured):
        parts = [finding for finding in measured if finding.measure == measure and finding.can_judge]
        if len(parts) > 1:
            rows = np.unique(np.concatenate([finding.rows for finding in parts]))
            counts, before, after = np.zeros((3, rows.max() + 1))
            for finding in parts:
                counts[finding.rows] += 1
                before[finding.rows] += finding.before
                after[finding.rows] += finding.after
            before, after = before[rows] / counts[rows], after[rows] / counts[rows]
            low, high = bootstrap_ci(after - before, seed=seed)
            p_value = mean_loss_p_value(after - before, margin)
            yield Finding(TOGETHER, measure, rows, before, after, low, high, margin, p_value, None)
