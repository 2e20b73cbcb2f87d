"""Embedding models behind an API: OpenAI, servers that speak its protocol, and Gemini.

The `openai` package sends every request and retries the failures that may pass (rate limits, server errors, timeouts).
Gemini is asked through its own protocol, because its OpenAI-compatible one has no task types.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

import httpx
import numpy as np

from xlutils.datasets.text import hide
from xlutils.errors import XlError, require
from xlutils.models.catalogue import ModelCard

if TYPE_CHECKING:
    from openai import APIStatusError, OpenAI

_OPENAI_URL = "https://api.openai.com/v1"
_GEMINI_URL = "https://generativelanguage.googleapis.com/v1beta"
_CHARACTERS_PER_REQUEST = 60_000  # below every provider's limit of tokens
_TEXTS_PER_REQUEST = 100  # Gemini's limit; OpenAI's is 2,048
_RETRIES = 6  # waits of 0.5 to 8 seconds, or as long as the server asks; it may ask for two minutes at most
_MAY_PASS = (408, 409, 425, 429)  # statuses of a server that is busy
_TIMEOUT_SECONDS = 60.0  # of silence
_TOTAL_SECONDS = "600"  # of a request with all its repetitions
Rows = list[list[float]]


class ApiBackend:
    """A model of OpenAI or of Gemini, or of another server that speaks either protocol.

    :param card: Its row in the catalogue.
    :raises XlError: If there is no API key in the environment.
    """

    def __init__(self, card: ModelCard) -> None:
        self.model = card.source
        self.dim = card.dim
        self.is_gemini = card.backend == "gemini"
        self.client = _gemini_client() if self.is_gemini else client()
        server = self.client.base_url.copy_with(userinfo=b"", query=None, fragment=None)
        self.revision = str(server).rstrip("/")  # two servers may give one model's name to different weights

    def embed(self, texts: Sequence[str], prompt: str, task: str | None) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield the vectors of one request at a time."""
        ask = self._ask_gemini if self.is_gemini else self._ask_openai
        for positions in _split(texts):
            part = [prompt + texts[position] for position in positions]
            with clear_errors(self.client):
                rows = in_time(partial(ask, part, task))
                vectors = _array(rows, len(part))
            yield positions, vectors

    def _ask_openai(self, texts: list[str], task: str | None) -> Rows:
        answer = self.client.embeddings.create(model=self.model, input=texts, encoding_format="float")
        by_index = {item.index: item.embedding for item in answer.data}
        return [by_index[index] for index in range(len(answer.data))]

    def _ask_gemini(self, texts: list[str], task: str | None) -> Rows:
        from openai import Omit

        theirs = ("Authorization", "OpenAI-Organization", "OpenAI-Project")  # nothing of OpenAI's goes to Google
        options: Any = {"headers": {"x-goog-api-key": self.client.api_key, **dict.fromkeys(theirs, Omit())}}
        model = f"models/{self.model}"
        requests = [{"model": model, "content": {"parts": [{"text": text}]}, "taskType": task} for text in texts]
        path = f"/{model}:batchEmbedContents"
        answer: Any = self.client.post(path, cast_to=object, body={"requests": requests}, options=options)
        return [item["values"] for item in answer["embeddings"]]


def client() -> OpenAI:
    """Return a client of OpenAI, or of the server that `OPENAI_BASE_URL` names.

    :raises XlError: If the package or the key is missing.
    """
    return _connect("OPENAI_BASE_URL", _OPENAI_URL, _api_key("OPENAI_API_KEY"))


def _gemini_client() -> OpenAI:
    return _connect("GEMINI_BASE_URL", _GEMINI_URL, _api_key("GEMINI_API_KEY", "GOOGLE_API_KEY"))


def _connect(variable: str, standard: str, key: str) -> OpenAI:
    require("openai", "api")
    from openai import OpenAI

    url = os.environ.get(variable) or standard
    if not url.startswith(("http://", "https://")):
        raise XlError(f"{variable} must begin with http:// or https://")
    return OpenAI(base_url=url, api_key=key, max_retries=_RETRIES, timeout=_TIMEOUT_SECONDS)


def _api_key(*names: str) -> str:
    """Return the first of these environment variables that is set."""
    for name in names:
        key = os.environ.get(name, "").strip()
        if not key.isascii():
            raise XlError(f"{name} has characters that no API key has; copy the key again")
        if key:
            return key
    raise XlError(f"no API key: set the environment variable {' or '.join(names)} (keys are never written to disk)")


def _split(texts: Sequence[str]) -> Iterator[list[int]]:
    """Yield the positions of the texts of each request, in order."""
    batch: list[int] = []
    characters = 0
    for position, text in enumerate(texts):
        if batch and (len(batch) == _TEXTS_PER_REQUEST or characters + len(text) > _CHARACTERS_PER_REQUEST):
            yield batch
            batch, characters = [], 0
        batch.append(position)
        characters += len(text)
    if batch:
        yield batch


def in_time(ask: Callable[[], Rows]) -> Rows:
    """Send a request and repeat it where that may help, for at most `XL_API_SECONDS` in all.

    The timeout of a connection ends a silent one; this also ends one that sends a byte now and then.

    :raises TimeoutError: If the answer is not complete by then.
    """
    answers: SimpleQueue[Rows | Exception] = SimpleQueue()

    def run() -> None:
        try:
            answers.put(ask())
        except Exception as error:  # noqa: BLE001 - whatever it is, the thread that asked raises it
            answers.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        answer = answers.get(timeout=_total_seconds())
    except Empty:
        raise TimeoutError from None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _total_seconds() -> float:
    text = os.environ.get("XL_API_SECONDS") or _TOTAL_SECONDS
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= threading.TIMEOUT_MAX:
        raise XlError(f"XL_API_SECONDS is {text!r}; give a number of seconds")
    return seconds


def _array(rows: Rows, count: int) -> np.ndarray:
    """Return the vectors as an array.

    :raises ValueError: If there are too few or too many, or they hold anything but numbers.
    """
    if len(rows) != count or not all(isinstance(number, int | float) for row in rows for number in row):
        raise ValueError
    return np.array(rows, np.float64)


@contextmanager
def clear_errors(client: OpenAI) -> Iterator[None]:
    """Turn every failure of a request into one line that says what to do and never shows the key."""
    import openai

    host = client.base_url.host
    again = "earlier results are stored, so run the same command again later"
    try:
        yield
    except openai.APIConnectionError as error:
        reason = type(error.__cause__ or error).__name__
        raise XlError(f"{host} did not answer ({reason}); {again}") from None
    except (openai.AuthenticationError, openai.PermissionDeniedError) as error:
        hint = "check the environment variable that holds it"
        raise XlError(f"{host} refused the API key (status {error.status_code}); {hint}") from None
    except openai.APIStatusError as error:
        status = error.status_code
        if status in _MAY_PASS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise XlError(f"{host} failed (status {status}); {again}") from None
        raise XlError(f"{host} refused the request (status {status}): {_message(error, client)}") from None
    except TimeoutError:
        hint = f"XL_API_SECONDS allows more than {_total_seconds():g} seconds"
        raise XlError(f"{host} did not finish its answer; {hint}; {again}") from None
    except (openai.APIError, AttributeError, LookupError, TypeError, ValueError):
        hint = "check OPENAI_BASE_URL or GEMINI_BASE_URL"
        raise XlError(f"{host} answered in a format other than the documented one; {hint}") from None


def _message(error: APIStatusError, client: OpenAI) -> str:
    """Return the server's own words, short and without the key."""
    body = error.body
    words = str(body["message"]) if isinstance(body, dict) and "message" in body else error.response.reason_phrase
    return " ".join(hide(client.api_key, words).split())[:200]
