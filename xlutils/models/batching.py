"""Batches by token budget, and smaller ones when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

Embed = Callable[[Sequence[str]], np.ndarray]
_SIMILAR = 0.8  # of the length of the longest text
_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")


def plan_batches(texts: Sequence[str], lengths: Sequence[int], budget: int, max_texts: int) -> list[list[int]]:
    """Group texts of similar length, longest first, so that little padding is computed.

    The batches do not depend on the order of the texts, and the batches of the texts that an interrupted run has
    left are the remaining ones of the full run: an interrupted run and an uninterrupted one give the same vectors.

    :param texts: n distinct texts.
    :param lengths: Their lengths in tokens.
    :param budget: Most tokens in a batch, padding included; a longer text is a batch of its own. A batch that is an
        eighth full takes no text that is much shorter than its longest one.
    :param max_texts: Most texts in a batch.
    :return: Batches of positions in `texts`.
    """
    batches: list[list[int]] = []
    tokens = longest = 0  # of the last batch, with padding
    for position in sorted(range(len(texts)), key=lambda position: (-lengths[position], texts[position])):
        is_padded = lengths[position] < _SIMILAR * longest and tokens >= budget / 8
        if not batches or is_padded or tokens + longest > budget or len(batches[-1]) == max_texts:
            batches.append([])
            tokens, longest = 0, max(lengths[position], 1)
        batches[-1].append(position)
        tokens += longest
    return batches


def embed_halving(embed: Embed, texts: Sequence[str]) -> Iterator[tuple[int, np.ndarray]]:
    """Embed a batch; if memory runs out, embed its halves instead.

    :param embed: Turns k texts into an array [k, dim].
    :param texts: The batch.
    :return: Pairs of (offset of the first text, array), in order.
    :raises MemoryError: If one text alone does not fit.
    """
    try:
        yield 0, embed(texts)
        return
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        if len(texts) == 1:
            raise MemoryError(str(error)) from error
    middle = len(texts) // 2
    for base, half in ((0, texts[:middle]), (middle, texts[middle:])):
        for offset, vectors in embed_halving(embed, half):
            yield base + offset, vectors


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error means that memory ran out, on any device."""
    message = str(error).lower()  # torch has an error class for CUDA only
    return isinstance(error, MemoryError) or any(words in message for words in _OUT_OF_MEMORY)
