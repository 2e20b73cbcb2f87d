"""The encoder: texts in, unit vectors out, whatever the model behind it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from xlutils.errors import BrokenModelError, XlError, unknown
from xlutils.models.catalogue import ROLES
from xlutils.models.progress import progress
from xlutils.models.store import EmbeddingStore

_FLUSH_SECONDS = 1.0  # what a kill can cost


class Backend(Protocol):
    """What a backend must offer; it need not cache, repeat, or normalise."""

    dim: int

    def embed(self, texts: Sequence[str], prompt: str, task: str | None) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield pairs of (positions in `texts`, their vectors [k, dim]) until every text is done."""


@dataclass
class Pace:
    """How fast a model is.

    :param texts: Texts that it has turned into vectors; those from the store do not count.
    :param seconds: Time that this took.
    """

    texts: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Encoder:
    """A loaded model.

    :param name: Its name in records.
    :param source: Where it came from: hub id, folder name, package, or API model.
    :param revision: Exact version of its weights.
    :param backend: What computes.
    :param settings: All else that changes a vector: maximum length, dtype, library versions.
    :param prompts: Text put in front, by role.
    :param tasks: Task name handed to the model, by role.
    :param cached: Whether vectors go to the embedding store.
    :param pace: What it has done so far.
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
        parts = [self._space(role) for role in ROLES]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]

    def encode(self, texts: Sequence[str], role: str = "passage") -> np.ndarray:
        """Turn texts into vectors; each distinct text is computed once and kept in the store.

        :param texts: n texts, none of them empty.
        :param role: "query", "passage" or "word"; it picks the prompt.
        :return: float32 [n, dim], rows in the order of `texts` and of unit length.
        :raises XlError: On empty text, an unknown role, vectors that are no vectors, or too little memory.
        """
        _check_texts(texts)
        if role not in ROLES:
            raise unknown("role", str(role), ROLES)
        distinct = {text: position for position, text in enumerate(dict.fromkeys(texts))}
        vectors = self._encode_distinct(list(distinct), role)
        return vectors[[distinct[text] for text in texts]]

    def _encode_distinct(self, texts: list[str], role: str) -> np.ndarray:
        store = EmbeddingStore(self._space(role)) if self.cached else None
        if store:
            vectors, found = store.read(texts, self.dim)
        else:
            vectors, found = np.zeros((len(texts), self.dim), np.float32), np.zeros(len(texts), bool)
        missing = np.flatnonzero(~found)
        if not len(missing):
            return vectors
        todo = [texts[position] for position in missing]
        unsaved: list[int] = []
        started = saved_at = time.monotonic()

        def save() -> None:
            if store and unsaved:
                store.write([texts[position] for position in unsaved], vectors[unsaved])
            unsaved.clear()

        with progress(len(todo), f"encoding with {self.name}") as advance:
            try:
                for positions, batch in self.backend.embed(todo, self.prompts.get(role, ""), self.tasks.get(role)):
                    rows = missing[positions]
                    vectors[rows] = self._unit(batch, [todo[position] for position in positions])
                    unsaved.extend(rows.tolist())
                    advance(len(positions))
                    if time.monotonic() - saved_at > _FLUSH_SECONDS:
                        save()
                        saved_at = time.monotonic()
            except MemoryError:
                raise XlError(
                    f"model {self.name} does not fit into memory, even with one text at a time; "
                    "give it a smaller max_length, or take a smaller model"
                ) from None
            finally:
                save()
        self.pace.texts += len(todo)
        self.pace.seconds += time.monotonic() - started
        return vectors

    def _unit(self, vectors: np.ndarray, texts: Sequence[str]) -> np.ndarray:
        """Scale to unit length, in float64 so that the result does not depend on the batch."""
        if vectors.shape != (len(texts), self.dim):
            raise XlError(
                f"model {self.name} returned an array {vectors.shape} for {len(texts)} texts, "
                f"expected ({len(texts)}, {self.dim}); check the dimension it was loaded with"
            )
        wide = vectors.astype(np.float64)
        norms = np.linalg.norm(wide, axis=1, keepdims=True)
        bad = np.flatnonzero(~np.isfinite(norms[:, 0]) | (norms[:, 0] == 0))
        if len(bad):
            kind = "a zero vector" if norms[bad[0], 0] == 0 else "NaN or infinity"
            raise BrokenModelError(
                f"model {self.name} returned {kind} for {texts[bad[0]][:60]!r} and {len(bad) - 1} other "
                "texts of the batch; try dtype='float32' or another model"
            )
        unit: np.ndarray = (wide / norms).astype(np.float32)
        return unit

    def _space(self, role: str) -> dict[str, object]:
        return {
            "model": self.source,
            "revision": self.revision,
            "prompt": self.prompts.get(role, ""),
            "task": self.tasks.get(role),
            "normalised": True,
            **self.settings,
        }


def _check_texts(texts: Sequence[str]) -> None:
    if isinstance(texts, str):
        raise XlError("encode() takes a list of texts; put the one text in brackets: [text]")
    for position, text in enumerate(texts):
        if not isinstance(text, str):
            raise XlError(f"text {position} is {text!r}, not a text; drop it or turn it into one")
        if not text.strip():
            raise XlError(f"text {position} is empty; drop it before encoding")
        if "\x00" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
            raise XlError(f"text {position} holds characters that are no text (NUL or half a surrogate pair); clean it")
