"""The exception of this package, whose message is one line for the user, and helpers that word such lines."""

from __future__ import annotations

import difflib
import importlib.util
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError

_NAMES_SHOWN = 40
_VALUE_CHARACTERS = 80
_MESSAGE_CHARACTERS = 400  # long enough for advice at the end, such as what to install


class XlError(Exception):
    """Something the user can fix; the message is one line that says how."""

    def _render_traceback_(self) -> list[str]:
        """Return only the message, for a notebook (IPython looks for this method)."""
        return [f"{type(self).__name__}: {self}"]


class BrokenModelError(XlError):
    """A model returned a vector that is zero or not finite."""


def require(module: str, extra: str) -> None:
    """Check that an optional package is installed.

    :param module: Name to import.
    :param extra: The extra of this project that installs it.
    :raises XlError: If it is missing, saying how to get it.
    """
    if importlib.util.find_spec(module) is None:
        raise XlError(
            f"this needs the package {module}, which is not installed (or has no build for this system); "
            f"try: pip install 'xlutils[{extra}]'"
        )


def first_line(error: BaseException) -> str:
    """Return the first line of another library's error, shortened, or its type if it has no message."""
    lines = str(error).strip().splitlines()
    return lines[0][:_MESSAGE_CHARACTERS] if lines else type(error).__name__


def first_fault(error: ValidationError) -> str:
    """Describe in one line the first problem that pydantic found: the field, what is wrong, and the value."""
    fault = error.errors()[0]
    field = ".".join(str(step) for step in fault["loc"]) or "the content"
    message = fault["msg"]
    if message.startswith("Value error, "):  # raised by a validator of ours, which words it in full
        return f"{field}: {message.removeprefix('Value error, ')}"
    line = f"{field}: {message[0].lower()}{message[1:]}"
    value = repr(fault["input"])
    shown = value if len(value) < _VALUE_CHARACTERS else f"{value[:_VALUE_CHARACTERS]}..."
    return line if fault["type"] == "missing" else f"{line} (got {shown})"


def unknown(kind: str, name: str, known: Iterable[str]) -> XlError:
    """Build the error for a name that is not in a list, suggesting the nearest ones that are.

    :param kind: What the name should have been, such as "model".
    :param name: The unknown name.
    :param known: The names that would have worked.
    :return: The error, for the caller to raise.
    """
    by_lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)
    if near:
        hint = "did you mean " + " or ".join(by_lower[match] for match in near) + "?"
    else:
        names = list(by_lower.values())
        more = f" and {len(names) - _NAMES_SHOWN} more" if len(names) > _NAMES_SHOWN else ""
        hint = f"known: {', '.join(names[:_NAMES_SHOWN])}{more}"
    return XlError(f"unknown {kind} {name!r}; {hint}")
