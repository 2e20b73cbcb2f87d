"""The gate: which languages get worse with a new model, a smaller one, or a changed prompt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from xlutils.chapters.gate_findings import LEAST, LEVEL, Finding, corrected, together
from xlutils.chapters.gate_sides import Side, notes, truncation
from xlutils.chapters.gate_values import ACROSS, WITHIN, Has, found_instead, values_of
from xlutils.datasets.canaries import NAME, QUESTION, Canaries
from xlutils.errors import XlError
from xlutils.metrics.drift import least_loss, loss_p_value
from xlutils.metrics.uncertainty import bootstrap_ci

WORSE, HELD, UNKNOWN = "worse", "not worse", "could not judge"


@dataclass(frozen=True)
class Example:
    """A canary that is lost: its text, that of the pivot, and what is found instead, or ""."""

    key: str
    text: str
    pivot: str
    found: str


@dataclass(frozen=True)
class Drift:
    """Live vectors of a language and role against the candidate's canaries: squared MMD and corrected p-value."""

    language: str
    role: str
    count: int
    distance: float
    p_value: float

    @property
    def is_drift(self) -> bool:
        """Whether they differ, with confidence."""
        return self.p_value <= LEVEL


@dataclass(frozen=True, eq=False)
class Gate:
    """The outcome of a comparison.

    :param names: Of the base and the candidate.
    :param findings: By language, then by measure.
    :param together: By measure, the change in the mean over languages.
    :param reasons: Why a language could not be judged.
    :param asked: Whether the user named the languages, so that each of them must be judged.
    :param examples: The worst canary of each finding that is worse, by language and measure.
    :param drift: Comparisons with live vectors.
    :param unseen: Languages whose live vectors are too few.
    """

    names: tuple[str, str]
    canaries: Canaries
    margin: float
    findings: dict[str, list[Finding]]
    together: list[Finding]
    reasons: dict[str, str]
    asked: bool
    notes: list[str]
    warnings: list[str]
    examples: dict[tuple[str, str], Example]
    drift: tuple[Drift, ...] = ()
    unseen: tuple[str, ...] = ()

    def verdict(self, code: str) -> str:
        """Return the verdict on a language: `WORSE`, `HELD` or `UNKNOWN`."""
        if any(finding.is_worse for finding in self.findings[code]):
            return WORSE
        return UNKNOWN if code in self.reasons else HELD

    def languages(self, verdict: str) -> list[str]:
        """Return the languages with a verdict, those that lost most first."""
        chosen = [code for code in self.findings if self.verdict(code) == verdict]
        return sorted(chosen, key=lambda code: min((finding.change for finding in self.findings[code]), default=0.0))

    @property
    def drifted(self) -> list[str]:
        """Languages whose live vectors differ from the candidate's."""
        return list(dict.fromkeys(test.language for test in self.drift if test.is_drift))

    @property
    def lost(self) -> list[Finding]:
        """Measures that got worse in the mean over languages."""
        return [finding for finding in self.together if finding.is_worse]

    @property
    def code(self) -> int:
        """Exit code: 0 if nothing got worse, 1 if a language did or live vectors drifted, 2 if that is not known."""
        if self.languages(WORSE) or self.lost or self.drifted:
            return 1
        is_open = self.unseen or (self.asked and self.languages(UNKNOWN)) or not self.languages(HELD)
        return 2 if is_open else 0


def compare_sides(
    base: Side,
    candidate: Side,
    canaries: Canaries,
    languages: Sequence[str] | None = None,
    *,
    margin: float = 0.02,
    seed: int = 42,
    asked: bool = True,
) -> Gate:
    """Compare two models, or their vectors, language by language.

    Every language is judged by itself, with the same canaries before and after. A measure is worse if its mean fell by
    more than the margin, tested by `loss_p_value` and corrected over all languages and measures by Holm's method.
    A small loss in many languages may be noticed in none of them, so the mean over languages is tested as well, canary
    by canary, by `mean_loss_p_value`; each of the two gets half of the level. A language cannot be judged if it has
    few canaries, or if the base finds so few that losing all would not be noticed.

    :param languages: Languages that are judged; by default all of the canaries.
    :param margin: Fall of a mean that does not matter; all measures go from 0 to 1.
    :param asked: See `Gate`.
    :raises XlError: If the margin is impossible, or nothing can be compared.
    """
    if not 0 <= margin < 1:
        raise XlError(f"the margin is {margin:g}; it must be from 0 and below 1, such as 0.02")
    has: Has = {code: base.has(code) & candidate.has(code) for code in canaries.languages}
    codes = list(languages or canaries.languages)
    if not {NAME, QUESTION} & set(canaries.kinds):  # the pivot has nothing to find within
        codes = [code for code in codes if code != canaries.pivot]
    if not codes:
        raise XlError(f"{canaries.name}: these texts need another language to be compared with {canaries.pivot}")
    measured = [finding for code in codes for finding in _measure(base, candidate, canaries, has, code, margin, seed)]
    level = LEVEL / 2 / max(len(measured), 1)
    least = {n: least_loss(n, margin, level) for n in {len(finding.rows) for finding in measured}}
    measured = [replace(finding, least=least[len(finding.rows)]) for finding in corrected(measured)]
    findings = {code: [finding for finding in measured if finding.language == code] for code in codes}
    examples = {
        (finding.language, finding.measure): _example(finding, candidate, canaries, has)
        for column in findings.values()
        for finding in column
        if finding.is_worse
    }
    reasons = {code: _reason(code, findings[code], canaries, has) for code in codes}
    return Gate(
        (base.name, candidate.name),
        canaries,
        margin,
        findings,
        corrected(list(together(measured, margin, seed))),
        {code: reason for code, reason in reasons.items() if reason},
        asked,
        notes(base, candidate),
        truncation(base, candidate),
        examples,
    )


def _measure(
    base: Side, candidate: Side, canaries: Canaries, has: Has, code: str, margin: float, seed: int
) -> Iterator[Finding]:
    sides = (values_of(side, canaries, has, code) for side in (base, candidate))
    for (measure, rows, before), (_, _, after) in zip(*sides, strict=True):
        if len(rows) >= LEAST:
            low, high = bootstrap_ci(after - before, seed=seed)
            p_value = loss_p_value(after - before, margin)
            yield Finding(code, measure, rows, before, after, low, high, margin, p_value, None)


def _reason(code: str, findings: Sequence[Finding], canaries: Canaries, has: Has) -> str:
    """Return why a language cannot be judged, or ""."""
    main = WITHIN if code == canaries.pivot else ACROSS
    finding = next((finding for finding in findings if finding.measure == main), None)
    if finding is None:
        return f"fewer than {LEAST} canaries to compare ({int(has[code].sum())} texts); give more"
    if not finding.can_judge:
        known, needed = finding.before.sum(), finding.least
        wanted = f"only a loss of {needed} would be noticed" if needed else "they are too few to notice any loss"
        return f"the base finds {known:.0f} of {len(finding.rows)}; {wanted}"
    return ""


def _example(finding: Finding, candidate: Side, canaries: Canaries, has: Has) -> Example:
    row = int(finding.rows[np.argmin(finding.after - finding.before)])
    found = found_instead(candidate, canaries, has, finding.language, finding.measure, row)
    text, pivot = (canaries.queries[code][row] for code in (finding.language, canaries.pivot))
    return Example(canaries.ids[row], text, pivot, found)
