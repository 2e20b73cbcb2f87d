"""Folders and URLs in which the workers of a sweep put their results."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xlutils.errors import XlError, first_line


def writable(place: str) -> str:
    """Return a URL as it is, and a folder as an absolute path, for workers that run elsewhere.

    :raises XlError: If no file system is known for the URL.
    """
    import fsspec

    if "://" not in place:
        return str(Path(place).expanduser().resolve())
    try:
        fsspec.core.url_to_fs(place)
    except (ImportError, ValueError) as error:
        raise XlError(f"{place}: {first_line(error)}") from None
    return place


def send(path: Path, url: str) -> None:
    """Move a file to its place under another name first, so that it is never seen half-written."""
    import fsspec

    system, place = fsspec.core.url_to_fs(url)
    system.makedirs(place.rsplit("/", 1)[0], exist_ok=True)
    system.put_file(str(path), place + ".part")
    system.mv(place + ".part", place)


@contextmanager
def local_copy(place: str) -> Iterator[Path]:
    """Return a folder as it is, and a URL as a temporary folder with the same files."""
    import fsspec

    if "://" not in place:
        yield Path(place).expanduser()
        return
    system, root = fsspec.core.url_to_fs(place)
    with tempfile.TemporaryDirectory() as folder:
        if system.exists(root):
            system.get(f"{root}/", f"{folder}/", recursive=True)
        yield Path(folder)
