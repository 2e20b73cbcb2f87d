"""Where data lives: in the package, in a folder of yours, on the hub."""

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
_FOLDERS = {"debian": ("debian", "ddtp")}  # the descriptions come from Debian's translation project, the DDTP
_ENDINGS = ("", ".gz")


def builtin_names(kind: str, ending: str) -> list[str]:
    """List what ships with the package.

    :param kind: Folder below `builtin/`.
    :param ending: How the files end.
    """
    return sorted(path.name.removesuffix(ending) for path in (BUILTIN / kind).glob(f"*{ending}"))


def local_folder(name: str) -> Path | None:
    """Find a dataset in `$XL_DATA`.

    :param name: Name of the dataset.
    :return: Its folder, or None.
    """
    root = os.environ.get("XL_DATA")
    for folder in _FOLDERS.get(name, (name,)) if root else ():
        if (Path(str(root)).expanduser() / folder).is_dir():
            return Path(str(root)).expanduser() / folder
    return None


def find_file(folder: Path, stem: str) -> Path | None:
    """Find `stem` in a folder, plain or gzipped."""
    return next((folder / (stem + ending) for ending in _ENDINGS if (folder / (stem + ending)).is_file()), None)


def read_text(path: Path) -> str:
    """Read a UTF-8 file, gzipped or not.

    :raises XlError: If it is damaged or not UTF-8.
    """
    try:
        if path.suffix == ".gz":
            with gzip.open(path, "rt", encoding="utf-8") as file:
                return file.read()
        return path.read_text(encoding="utf-8")
    except (gzip.BadGzipFile, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise XlError(f"{path.name} is damaged or not UTF-8 ({error}); get it again") from None
    except OSError as error:
        raise XlError(f"{path.name} cannot be read ({error.strerror}); check it") from None


def read_json(path: Path) -> Any:
    """Read a JSON file, gzipped or not."""
    return parse_json(read_text(path), path.name)


def read_json_lines(path: Path, fields: Iterable[str]) -> Iterator[dict[str, str]]:
    """Read a file with a JSON object on each line, gzipped or not.

    :param path: The file.
    :param fields: What is taken of every object: texts, or whole numbers as texts.
    :raises XlError: If a line is no such object.
    """
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path.name} line {number}"
        row = parse_json(line, where)
        missing = [field for field in fields if not isinstance(row, dict) or field not in row]
        if missing:
            raise XlError(f"{where} has no field {missing[0]!r}")
        yield {field: as_text(row[field], f"{where}: {field}") for field in fields}


def load_hub(repo: str, config: str, split: str, revision: str | None) -> Any:
    """Load a table from the hub, or from a folder laid out like a hub repository.

    :param repo: Hub id, or path of a folder.
    :param config: Name of the configuration.
    :param split: Such as "test".
    :param revision: Pinned commit; not used for a folder.
    :return: The rows, a `datasets.Dataset`.
    :raises XlError: If it cannot be had.
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
    """Hash data by what it says, wherever it was read from.

    :param content: Anything JSON can hold.
    :return: SHA-256, 64 hex digits.
    """
    return hashlib.sha256(json.dumps(content, ensure_ascii=False, sort_keys=True).encode()).hexdigest()
