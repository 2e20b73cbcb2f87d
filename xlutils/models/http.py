"""One polite HTTP client for every API: retries what can be retried, never shows a key."""

from __future__ import annotations

import os
from typing import Any

import httpx
import tenacity

from xlutils.errors import XlError

_ATTEMPTS = 6
_LONGEST_WAIT = 60.0
_TIMEOUT_SECONDS = 60.0
_RETRIED_STATUS = {408, 409, 425, 429, 500, 502, 503, 504}


class _RetriableError(Exception):
    """A failure that may pass; `wait` is what the server asked for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


def api_key(*names: str) -> str:
    """Read a key from the environment.

    :param names: Variables to look at, in order.
    :raises XlError: If none is set.
    """
    for name in names:
        key = os.environ.get(name, "").strip()
        if key:
            return key
    raise XlError(f"no API key: set the environment variable {' or '.join(names)} (keys are never written to disk)")


def post_json(url: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
    """Send JSON and return the JSON that comes back.

    Rate limits, server errors, timeouts, broken connections and answers that are no JSON are tried
    again, up to six times, waiting twice as long each time or as long as the server asks.

    :raises XlError: If the server refuses, or keeps failing.
    """
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(_ATTEMPTS),
        retry=tenacity.retry_if_exception_type(_RetriableError),
        wait=_wait,
        reraise=True,
    )
    try:
        return retrying(_post_once, url, body, headers)
    except _RetriableError as error:
        raise XlError(
            f"{httpx.URL(url).host} failed {_ATTEMPTS} times, last with: {error}; what came before is "
            "stored, so run the same command again later"
        ) from None


def _wait(state: tenacity.RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, _RetriableError) else None
    if asked is not None:
        return min(asked, _LONGEST_WAIT)
    first = float(os.environ.get("XL_RETRY_SECONDS", "1"))
    return float(tenacity.wait_random_exponential(multiplier=first, max=_LONGEST_WAIT)(state))


def _post_once(url: str, body: dict[str, Any], headers: dict[str, str]) -> Any:
    try:
        answer = httpx.post(url, json=body, headers=headers, timeout=_TIMEOUT_SECONDS)
    except httpx.TransportError as error:
        raise _RetriableError(f"{type(error).__name__}") from None
    if answer.status_code in _RETRIED_STATUS:
        raise _RetriableError(f"status {answer.status_code}", _retry_after(answer))
    if answer.status_code in (401, 403):
        raise XlError(
            f"{answer.url.host} refused the API key (status {answer.status_code}); check the environment "
            "variable that holds it"
        )
    if answer.is_error:
        raise XlError(f"{answer.url.host} refused the request (status {answer.status_code}): {_message(answer)}")
    try:
        return answer.json()
    except ValueError:
        raise _RetriableError("an answer that is no JSON") from None


def _retry_after(answer: httpx.Response) -> float | None:
    try:
        return max(float(answer.headers["retry-after"]), 0.0)
    except (KeyError, ValueError):  # absent, or an HTTP date: then our own waiting time serves
        return None


def _message(answer: httpx.Response) -> str:
    """Quote the server, short and without anything that could be a key."""
    try:
        words = str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        words = answer.reason_phrase
    for header in ("authorization", "x-goog-api-key"):
        secret = answer.request.headers.get(header, "").removeprefix("Bearer ")
        if secret:
            words = words.replace(secret, "***")
    return " ".join(words.split())[:200]
