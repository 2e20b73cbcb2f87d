"""Work in blocks that fit in memory, several of them at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Item = TypeVar("Item")
Result = TypeVar("Result")


def blocks(total: int, size: int) -> Iterator[slice]:
    """Cut the numbers from 0 to `total` into slices of at most `size`."""
    return (slice(start, min(start + size, total)) for start in range(0, total, size))


@cache
def blas() -> ThreadpoolController:
    """Return the controller of the libraries that multiply matrices for NumPy (finding them takes a while)."""
    return ThreadpoolController().select(user_api="blas")


def thread_count() -> int:
    """Return the number of threads that NumPy may use for a product of matrices."""
    return max((library["num_threads"] for library in blas().info()), default=1)


def in_threads(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Apply a function to each item on several threads, with one thread for each product inside.

    :return: The results, in the order of the items.
    """
    workers = thread_count()
    with blas().limit(limits=1), ThreadPoolExecutor(workers) as pool:
        return list(pool.map(work, items))
