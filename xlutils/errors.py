"""The one exception of the package: a line for the user, never a stack of frames."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

_SHOWN = 40  # names in a message
_LONG = 80  # characters of a value in a message
_LONGEST = 400  # characters of a message of another library, which may end in what to install


class XlError(Exception):
    """Something the user can mend; the message is one line that says how."""

    def _render_traceback_(self) -> list[str]:
        """Show only the message in a notebook (IPython looks for this method)."""
        return [f"{type(self).__name__}: {self}"]


class BrokenModelError(XlError):
    """A model returned something that is no vector: zero, NaN or infinity."""


def first_line(error: BaseException) -> str:
    """Say in one short line what another library complained about: its first line, or its kind if it said nothing."""
    lines = str(error).strip().splitlines()
    return lines[0][:_LONGEST] if lines else type(error).__name__


def first_fault(error: ValidationError) -> str:
    """Say in one line what pydantic found first: where, what is wrong, and what was given, unless we wrote it."""
    first = error.errors()[0]
    where = ".".join(str(step) for step in first["loc"]) or "the whole"
    if first["msg"].startswith("Value error, "):
        return f"{where}: {first['msg'].removeprefix('Value error, ')}"
    wrong = f"{where}: {first['msg'][0].lower()}{first['msg'][1:]}"
    given = repr(first["input"])
    shown = given if len(given) < _LONG else f"{given[:_LONG]}..."
    return wrong if first["type"] == "missing" else f"{wrong} (got {shown})"


def unknown(kind: str, name: str, known: Iterable[str]) -> XlError:
    """Build the error for a name that is not in a list, with the nearest ones that are.

    :param kind: What the name should have been, such as "model".
    :param name: What was given.
    :param known: The names that would have worked.
    :return: The error, to be raised by the caller.
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)
    if near:
        hint = "did you mean " + " or ".join(by_lower[match] for match in near) + "?"
    else:
        names = list(by_lower.values())
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        hint = f"known: {', '.join(names[:_SHOWN])}{more}"
    return XlError(f"unknown {kind} {name!r}; {hint}")
