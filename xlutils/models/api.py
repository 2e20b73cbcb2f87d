"""Embedding APIs: OpenAI's, everything that speaks the same protocol, and Gemini's."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from xlutils.errors import XlError
from xlutils.models.bundled import require
from xlutils.models.catalogue import ModelCard

OPENAI_URL = "https://api.openai.com/v1"
_GEMINI_URL = "https://generativelanguage.googleapis.com/v1beta"
_REQUEST_CHARACTERS = 60_000  # stays under every provider's token limit of one request
_REQUEST_TEXTS = 100  # Gemini's limit; OpenAI's is 2,048


class OpenAIBackend:
    """Any server with OpenAI's `/embeddings`; `OPENAI_BASE_URL` points to another one.

    :param model: The API's name for the model.
    :param dim: Length of its vectors.
    """

    def __init__(self, model: str, dim: int) -> None:
        from xlutils.models.http import api_key

        self.model = model
        self.dim = dim
        self.url = os.environ.get("OPENAI_BASE_URL", OPENAI_URL).rstrip("/") + "/embeddings"
        self.headers = {"Authorization": f"Bearer {api_key('OPENAI_API_KEY')}"}

    def embed(self, texts: Sequence[str], prompt: str, task: str | None) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield the vectors of one request at a time."""
        from xlutils.models.http import post_json

        for positions in _requests(texts):
            body = {"model": self.model, "input": [prompt + texts[i] for i in positions], "encoding_format": "float"}
            answer = post_json(self.url, body, self.headers)
            try:
                by_index = {item["index"]: item["embedding"] for item in answer["data"]}
                vectors = [by_index[index] for index in range(len(positions))]
            except (KeyError, TypeError):
                raise _odd_answer(self.model) from None
            yield positions, _array(vectors, self.model)


class GeminiBackend:
    """Google's Gemini embedding API; `GEMINI_BASE_URL` points to another server.

    :param model: The API's name for the model.
    :param dim: Length of its vectors.
    """

    def __init__(self, model: str, dim: int) -> None:
        from xlutils.models.http import api_key

        self.model = model
        self.dim = dim
        base = os.environ.get("GEMINI_BASE_URL", _GEMINI_URL).rstrip("/")
        self.url = f"{base}/models/{model}:batchEmbedContents"
        self.headers = {"x-goog-api-key": api_key("GEMINI_API_KEY", "GOOGLE_API_KEY")}

    def embed(self, texts: Sequence[str], prompt: str, task: str | None) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield the vectors of one request at a time."""
        from xlutils.models.http import post_json

        for positions in _requests(texts):
            requests = []
            for position in positions:
                content = {"parts": [{"text": prompt + texts[position]}]}
                requests.append({"model": f"models/{self.model}", "content": content, "taskType": task})
            answer = post_json(self.url, {"requests": requests}, self.headers)
            try:
                vectors = [item["values"] for item in answer["embeddings"]]
            except (KeyError, TypeError):
                raise _odd_answer(self.model) from None
            yield positions, _array(vectors, self.model)


def make_api_backend(card: ModelCard) -> OpenAIBackend | GeminiBackend:
    """Build the backend of an API model.

    :raises XlError: If its key or the extra `api` is missing.
    """
    require("httpx", "api")
    require("tenacity", "api")
    return (OpenAIBackend if card.backend == "openai" else GeminiBackend)(card.source, card.dim)


def _requests(texts: Sequence[str]) -> Iterator[list[int]]:
    """Cut the texts into requests, in order."""
    batch: list[int] = []
    characters = 0
    for position, text in enumerate(texts):
        if batch and (len(batch) == _REQUEST_TEXTS or characters + len(text) > _REQUEST_CHARACTERS):
            yield batch
            batch, characters = [], 0
        batch.append(position)
        characters += len(text)
    if batch:
        yield batch


def _array(vectors: list[Any], model: str) -> np.ndarray:
    lengths = {len(vector) for vector in vectors}
    if len(lengths) != 1 or not all(isinstance(x, int | float) and math.isfinite(x) for x in vectors[0]):
        raise _odd_answer(model)
    return np.asarray(vectors, np.float64)


def _odd_answer(model: str) -> XlError:
    return XlError(
        f"the API answered for {model} with something that is not its documented format; "
        "check OPENAI_BASE_URL or GEMINI_BASE_URL"
    )
