"""The shared table in which chapters check the claims of a paper, one row per claim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from xlutils.chapters.wording import with_interval
from xlutils.datasets.text import in_markdown

REPRODUCED, NOT_REPRODUCED, NOT_TESTABLE = "reproduced", "not reproduced", "not testable here"
COLUMNS = ("claim", "shown by", "value", "verdict", "why")


class Claim(NamedTuple):
    """One claim of a paper, and what the numbers say about it.

    :param claim: The claim, in few words.
    :param shown_by: What would show it.
    :param value: Our number with its interval, as text; empty if there is none.
    :param verdict: `REPRODUCED`, `NOT_REPRODUCED` or `NOT_TESTABLE`.
    :param why: The reason.
    """

    claim: str
    shown_by: str
    value: str
    verdict: str
    why: str

    def because(self, reason: str) -> Claim:
        """Return the claim with a further reason."""
        return self._replace(why=f"{self.why}; {reason}")


def judged(claim: str, shown_by: str, value: str, why: str, *, holds: bool) -> Claim:
    """Return a claim with the verdict of a test, and why."""
    return Claim(claim, shown_by, value, REPRODUCED if holds else NOT_REPRODUCED, why)


def untestable(claim: str, shown_by: str, why: str, value: str = "") -> Claim:
    """Return a claim that cannot be tested, and why."""
    return Claim(claim, shown_by, value, NOT_TESTABLE, why)


def above(claim: str, shown_by: str, interval: Sequence[float], limit: float = 0.0, digits: int = 2) -> Claim:
    """Return a claim that is reproduced if a whole interval is above a limit.

    :param interval: Value, low, high.
    """
    _, low, high = interval
    where = "is above" if low > limit else "is below" if high < limit else "holds"
    text = with_interval(*interval, digits=digits)
    return judged(claim, shown_by, text, f"the interval {where} {limit:g}", holds=low > limit)


def below(claim: str, shown_by: str, interval: Sequence[float], limit: float = 0.0, digits: int = 2) -> Claim:
    """Return a claim that is reproduced if a whole interval is below a limit; see `above`."""
    verdict = REPRODUCED if interval[2] < limit else NOT_REPRODUCED
    return above(claim, shown_by, interval, limit, digits)._replace(verdict=verdict)


def in_all(claim: str, shown_by: str, table: pd.DataFrame, limit: float) -> Claim:
    """Return a claim that is reproduced if all intervals are above a limit, and not if one is wholly below.

    :param table: Columns name, value, low and high; the value is that of the lowest row.
    """
    worst = table.sort_values("value").iloc[0]
    value = with_interval(*worst[["value", "low", "high"]])
    failing, sure = int((table["high"] < limit).sum()), int((table["low"] > limit).sum())
    why = f"the lowest is {worst['name']}; of {len(table)} intervals, {sure} are above {limit:g} and {failing} below"
    if not failing and sure < len(table):
        return untestable(claim, shown_by, why, value)
    return judged(claim, shown_by, value, why, holds=not failing)


def claim_table(rows: Sequence[tuple[str, Claim]]) -> pd.DataFrame:
    """Return claims as a table with `COLUMNS`, indexed by the model, or group of models, that they were tested on."""
    index = pd.Index([name for name, _ in rows], name="model")
    return pd.DataFrame([claim for _, claim in rows], index=index, columns=list(COLUMNS))


def claim_list(table: pd.DataFrame) -> str:
    """Return claims as Markdown: each with what would show it, and a line for every model.

    :param table: As from `claim_table`.
    """
    lines = []
    for (claim, shown_by), rows in table.groupby(["claim", "shown by"], sort=False):
        lines += ["", f"**{in_markdown(str(claim))}.** Shown by: {in_markdown(str(shown_by))}.", ""]
        for name, row in rows.iterrows():
            value = f"{in_markdown(row['value'])}; " if row["value"] else ""
            lines.append(f"- {in_markdown(str(name))}: *{row['verdict']}*, {value}{in_markdown(row['why'])}")
    return "\n".join(lines)
