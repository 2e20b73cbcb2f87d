"""The Hugging Face hub when there is one, and its cache when there is none."""

from __future__ import annotations

import functools
import importlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_PROBE_SECONDS = 5.0


@contextmanager
def hub_session() -> Iterator[None]:
    """Load from the hub without noise, and at once from its cache where there is no network.

    The libraries would retry for a minute on every file of a model; one probe is enough to know.
    """
    quiet_import()
    from huggingface_hub import constants
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    offline, bars_were_off = constants.HF_HUB_OFFLINE, are_progress_bars_disabled()
    constants.HF_HUB_OFFLINE = offline or not is_reachable(constants.ENDPOINT)
    datasets_config = getattr(sys.modules.get("datasets"), "config", None)
    if datasets_config:
        datasets_config.HF_HUB_OFFLINE = constants.HF_HUB_OFFLINE
    if not sys.stderr.isatty():
        disable_progress_bars()
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = offline
        if datasets_config:
            datasets_config.HF_HUB_OFFLINE = offline
        if not bars_were_off:
            enable_progress_bars()


def quiet_import() -> None:
    """Import the progress bars of the hub's libraries without their advice to install widgets."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        importlib.import_module("tqdm.auto")


def commit_of(repo: str, revision: str | None) -> str:
    """Find the commit that a revision of a model stands for, so that it can be written down.

    :param repo: Hub id.
    :param revision: Branch, tag or commit; the main branch when left out.
    :raises OSError: If neither the hub nor its cache knows.
    """
    from huggingface_hub import constants, resolve_revision
    from huggingface_hub.errors import RevisionResolutionError

    try:
        return str(resolve_revision(repo, revision=revision, local_files_only=constants.HF_HUB_OFFLINE).resolved)
    except RevisionResolutionError as error:
        raise OSError(str(error)) from error


@functools.cache
def is_reachable(endpoint: str) -> bool:
    """Say whether a hub answers; asked once."""
    import httpx

    try:
        httpx.head(endpoint, timeout=_PROBE_SECONDS)
    except httpx.TransportError:
        return False
    return True
