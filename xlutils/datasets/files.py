"""Where data come from: the package, a folder of the user's, or the hub."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from xlutils.datasets.text import as_text, parse_json
from xlutils.errors import XlError, first_line
from xlutils.hub import hub_session

BUILTIN = Path(__file__).parent / "builtin"
_FOLDERS = {"debian": ("debian", "ddtp")}  # the DDTP is Debian's translation project, the source of the descriptions


def builtin_names(kind: str, ending: str) -> list[str]:
    """Return the names of the files that ship with the package, without their ending.

    :param kind: Folder below `builtin/`.
    :param ending: File name ending, such as ".csv".
    """
    return sorted(path.name.removesuffix(ending) for path in (BUILTIN / kind).glob(f"*{ending}"))


def from_book(path: str | Path) -> Path:
    """Resolve a path from the folder of the book, even if the kernel was started in `notebooks/`.

    :param path: Absolute, or relative to the folder of the book.
    """
    here = Path.cwd()
    is_inside = here.name == "notebooks" and (here.parent / "_config.yml").is_file()
    return (here.parent if is_inside else Path()) / Path(path).expanduser()


def local_folder(name: str) -> Path | None:
    """Return the folder of a data set in `$XL_DATA`, or None if there is none."""
    root = os.environ.get("XL_DATA")
    if not root:
        return None
    folders = [Path(root).expanduser() / folder for folder in _FOLDERS.get(name, (name,))]
    return next((folder for folder in folders if folder.is_dir()), None)


def find_file(folder: Path, name: str) -> Path | None:
    """Return the path of a file, plain or gzipped, or None if it is missing."""
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def read_text(path: Path) -> str:
    """Read a UTF-8 file, gzipped or not.

    :raises XlError: If it is damaged or not UTF-8.
    """
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8-sig") as file:
                return file.read()
        return path.read_text(encoding="utf-8-sig")
    except (gzip.BadGzipFile, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise XlError(f"{path.name} is damaged or not UTF-8 ({error}); get it again") from None
    except OSError as error:
        raise XlError(f"{path.name} cannot be read ({error.strerror}); check it") from None


def read_json_lines(path: Path, fields: Iterable[str]) -> Iterator[dict[str, str]]:
    """Read a file with one JSON object on each line, gzipped or not.

    :param path: The file.
    :param fields: What to take from each object: texts, or whole numbers as texts.
    :raises XlError: If a line is not an object with these fields.
    """
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        label = f"{path.name} line {number}"
        row = parse_json(line, label)
        missing = [field for field in fields if not isinstance(row, dict) or field not in row]
        if missing:
            raise XlError(f"{label} has no field {missing[0]!r}")
        yield {field: as_text(row[field], f"{label}: {field}") for field in fields}


def load_hub(repo: str, config: str, split: str, revision: str | None) -> Any:
    """Load a table from the hub, or from a folder laid out like a hub repository.

    :param repo: Hub id, or path of a folder.
    :param config: Name of the configuration.
    :param split: Such as "test".
    :param revision: Pinned commit; ignored for a folder.
    :return: The rows, a `datasets.Dataset`.
    :raises XlError: If it could not be loaded.
    """
    import datasets

    datasets.disable_progress_bars()
    revision = None if Path(repo).is_dir() else revision
    try:
        with hub_session():
            return datasets.load_dataset(repo, config, split=split, revision=revision)
    except (OSError, ValueError) as error:
        raise XlError(
            f"cannot get {repo} ({config}) from the hub: {first_line(error)}; check the network, "
            "or put the files in a folder and set XL_DATA to the folder above it"
        ) from error


def content_hash(content: object) -> str:
    """Return the SHA-256 of data, 64 hex digits, which does not depend on where they were read from.

    :param content: Anything JSON can express.
    """
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
