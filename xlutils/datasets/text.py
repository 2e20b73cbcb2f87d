"""Text from other people's files: used as it is, or rejected with one line."""

from __future__ import annotations

import json
import re
from typing import Any

from xlutils.errors import XlError

_SHOWN = 4  # characters of a secret that say which one it is
_LONG = 16  # characters of a secret that its last four do not give away


def parse_json(text: str, name: str) -> Any:
    """Parse JSON.

    :param text: The JSON.
    :param name: What to call it in error messages.
    :raises XlError: If it is not valid, is nested too deeply, or contains a number too long to read.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        line = f" line {error.lineno}" if "\n" in text else ""
        raise XlError(f"{name}{line} is not JSON ({error.msg}); get it again") from None
    except (RecursionError, ValueError) as error:
        raise XlError(f"{name} cannot be read as JSON ({str(error).split(':')[0]}); get it again") from None


def as_text(value: object, name: str) -> str:
    """Return a text as it is, and a whole number as text.

    :param value: A value from a file.
    :param name: What to call it in error messages.
    :raises XlError: If it is something else, or contains half of a surrogate pair, which cannot be written again.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise XlError(f"{name} is not text but {repr(value)[:40]}; fix it")
    text = str(value)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise XlError(f"{name} contains half of a character (a lone surrogate): {text[:40]!r}; fix it")
    return text


def in_markdown(text: str) -> str:
    """Return a text from data or records as Markdown that shows it and does nothing else."""
    return re.sub(r"([\\`*_{}\[\]<>()#!|~$&^])", r"\\\1", " ".join(text.split()))


def hide(secret: str, text: str) -> str:
    """Replace a secret in a text, also where it is written as JSON, by asterisks and its last four characters."""
    end = secret[-_SHOWN:] if len(secret) >= _LONG else ""
    for written, shown in ((secret, end), (json.dumps(secret)[1:-1], json.dumps(end)[1:-1])):
        text = text.replace(written, f"***{shown}")
    return text
