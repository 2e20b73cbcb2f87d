"""Text from files that others wrote: taken as it is, or refused with one line."""

from __future__ import annotations

import json
from typing import Any

from xlutils.errors import XlError


def parse_json(text: str, name: str) -> Any:
    """Parse JSON.

    :param text: The JSON.
    :param name: What to call it in the message.
    :raises XlError: If it is none, or is nested too deeply or holds a number that is too long to be read.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f" line {error.lineno}" if "\n" in text else ""
        raise XlError(f"{name}{where} is no JSON ({error.msg}); get it again") from None
    except (RecursionError, ValueError) as error:
        raise XlError(f"{name} cannot be read as JSON ({str(error).split(':')[0]}); get it again") from None


def as_text(value: object, name: str) -> str:
    """Take a text, or a whole number as one.

    :param value: What a file holds.
    :param name: What to call it in the message.
    :raises XlError: If it is something else, or holds half a character, which cannot be written again.
    """
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise XlError(f"{name} is no text but {repr(value)[:40]}; mend it")
    text = str(value)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise XlError(f"{name} holds half of a character (a lone surrogate): {text[:40]!r}; mend it")
    return text
