"""The encoder: texts in, unit vectors out, whatever the model behind it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from xlutils.datasets.languages import language_name
from xlutils.errors import BrokenModelError, XlError, unknown
from xlutils.models.catalogue import ROLES
from xlutils.models.progress import progress
from xlutils.models.store import EmbeddingStore

_FEWEST = 8  # different texts that no working model puts into one point
_LEVEL = 1e-6
_MOST_UNKNOWN = 0.5  # share of tokens


class Backend(Protocol):
    """What a backend must offer; it need not cache, drop repeated texts, or normalise."""

    dim: int

    def embed(self, texts: Sequence[str], prompt: str, task: str | None) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield pairs of (positions in `texts`, their vectors [k, dim]) until every text is done."""


@dataclass
class Pace:
    """How fast a model has been so far.

    :param texts: Number of texts it computed; those read from the store do not count.
    :param seconds: Time that took.
    """

    texts: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Reading:
    """What a model does not see of texts.

    :param unread: Languages most of whose tokens its vocabulary lacks.
    :param cut: Number of texts that are longer than it reads.
    """

    unread: tuple[str, ...] = ()
    cut: int = 0

    @property
    def facts(self) -> dict[str, Any]:
        """What a record says of it; nothing if the model sees everything."""
        facts = {"unread": list(self.unread), "cut": self.cut}
        return {name: value for name, value in facts.items() if value}

    @property
    def remark(self) -> str:
        """The same in words."""
        unread = [f"cannot read {', '.join(map(language_name, self.unread))}"] if self.unread else []
        return "; ".join([*unread, *([f"{self.cut:,} texts were cut"] if self.cut else [])])


@dataclass
class Encoder:
    """A loaded model.

    :param name: Its name in records.
    :param source: Where it came from: hub id, folder name, package, or API model.
    :param revision: Exact version of its weights.
    :param backend: What computes the vectors.
    :param settings: Everything else that changes a vector: maximum length, dtype, library versions.
    :param prompts: Text prepended to the input, by role.
    :param tasks: Task name passed to the model, by role.
    :param cached: Whether vectors go to the embedding store.
    :param pace: How fast it has been so far.
    """

    name: str
    source: str
    revision: str
    backend: Backend
    settings: Mapping[str, object] = field(default_factory=dict)
    prompts: Mapping[str, str] = field(default_factory=dict)
    tasks: Mapping[str, str] = field(default_factory=dict)
    cached: bool = True
    pace: Pace = field(default_factory=Pace, compare=False, repr=False)

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.backend.dim

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits that change with anything that changes a vector."""
        parts = [self.space(role) for role in ROLES]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def space(self, role: str) -> dict[str, object]:
        """Return everything that decides what a vector means, which is the key of its embedding store."""
        return {
            "model": self.source,
            "revision": self.revision,
            "prompt": self.prompts.get(role, ""),
            "task": self.tasks.get(role),
            "normalised": True,
            **self.settings,
        }

    def encode(self, texts: Sequence[str], role: str = "passage") -> np.ndarray:
        """Turn texts into vectors; each distinct text is computed once and then read from the store.

        :param texts: n texts, none of them empty.
        :param role: "query", "passage" or "word"; it selects the prompt.
        :return: float32 [n, dim], rows in the order of `texts` and of unit length.
        :raises XlError: On empty text, an unknown role, broken vectors, or too little memory.
        """
        _check_texts(texts)
        if role not in ROLES:
            raise unknown("role", str(role), ROLES)
        distinct = {text: position for position, text in enumerate(dict.fromkeys(texts))}
        vectors = self._encode_distinct(list(distinct), role)
        if len(vectors) >= _FEWEST and (vectors @ vectors[0]).min() > 1 - _LEVEL:
            raise BrokenModelError(f"model {self.name} returned the same vector for {len(vectors)} texts; try another")
        return vectors[[distinct[text] for text in texts]]

    def look_at(self, texts_by_language: Mapping[str, Sequence[str]], role: str = "passage") -> Reading:
        """Find out what the model does not see of texts, in languages that it cannot read or beyond its length.

        :raises XlError: If it can read none of the languages.
        """
        counts = {code: self.count_tokens(texts, role) for code, texts in texts_by_language.items()}
        sums = {code: count.sum(axis=0) for code, count in counts.items() if count is not None}
        unread = tuple(code for code, (tokens, unknown, _) in sums.items() if unknown > _MOST_UNKNOWN * tokens)
        if unread and len(unread) == len(sums):
            raise XlError(f"model {self.name} cannot read {', '.join(unread)}: its vocabulary lacks their words")
        return Reading(unread, sum(int(cut) for _, _, cut in sums.values()))

    def count_tokens(self, texts: Sequence[str], role: str = "passage") -> NDArray[np.int64] | None:
        """Return the tokens of each text, how many of them are unknown, and 1 if the text is cut: int [n, 3].

        :return: None if the model does not show its tokens; only those of sentence-transformers do.
        """
        look = getattr(self.backend, "read", None)
        counts: NDArray[np.int64] | None = look(texts, self.prompts.get(role, "")) if look else None
        return counts

    def _encode_distinct(self, texts: list[str], role: str) -> np.ndarray:
        vectors, is_stored = np.zeros((len(texts), self.dim), np.float32), np.zeros(len(texts), bool)
        store = EmbeddingStore(self.space(role)) if self.cached else None
        if store:
            vectors, is_stored = store.read(texts, self.dim)
        missing = np.flatnonzero(~is_stored)
        if not len(missing):
            return vectors
        with store.writing() if store else nullcontext() as write:
            for positions, batch in self._compute([texts[row] for row in missing], role):
                rows = missing[positions]
                vectors[rows] = batch
                if write:
                    write([texts[row] for row in rows], batch)
        return vectors

    def _compute(self, texts: list[str], role: str) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield pairs of (positions in `texts`, their unit vectors), with a progress bar."""
        prompt, task = self.prompts.get(role, ""), self.tasks.get(role)
        started = time.monotonic()
        try:
            with progress(len(texts), f"encoding with {self.name}") as advance:
                for positions, batch in self.backend.embed(texts, prompt, task):
                    yield positions, self._normalise(batch, [texts[position] for position in positions])
                    advance(len(positions))
        except MemoryError:
            raise XlError(
                f"model {self.name} does not fit into memory, even with one text at a time; "
                "give it a smaller max_length, or use a smaller model"
            ) from None
        self.pace.texts += len(texts)
        self.pace.seconds += time.monotonic() - started

    def _normalise(self, vectors: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        """Scale to unit length, in float64 so that the result does not depend on the batch."""
        if vectors.shape != (len(texts), self.dim):
            raise XlError(
                f"model {self.name} returned an array {vectors.shape} for {len(texts)} texts, "
                f"expected ({len(texts)}, {self.dim}); check the dimension it was loaded with"
            )
        wide = vectors.astype(np.float64)
        norms = np.linalg.norm(wide, axis=1, keepdims=True)
        broken = np.flatnonzero(~np.isfinite(norms[:, 0]) | (norms[:, 0] == 0))
        if len(broken):
            kind = "a zero vector" if norms[broken[0], 0] == 0 else "NaN or infinity"
            raise BrokenModelError(
                f"model {self.name} returned {kind} for {texts[broken[0]][:60]!r} and {len(broken) - 1} other "
                "texts of the batch; try dtype='float32' or another model"
            )
        return np.asarray(wide / norms, np.float32)


def _check_texts(texts: Sequence[str]) -> None:
    if isinstance(texts, str):
        raise XlError("encode() takes a list of texts; put the one text in brackets: [text]")
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise XlError(f"text {position} is {text!r}, which is not a text; drop or convert it")
        if not text.strip():
            raise XlError(f"text {position} is empty; drop it before encoding")
        if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise XlError(f"text {position} contains NUL or half of a surrogate pair, which is not text; clean it")
