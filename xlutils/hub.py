"""The Hugging Face hub, or its cache when there is no network."""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
import threading
import warnings
from collections.abc import Iterator

_PROBE_SECONDS = 5.0


@contextlib.contextmanager
def hub_session() -> Iterator[None]:
    """Load from the hub without noise, and without a network from its cache at once.

    Left alone, the libraries retry every file of a model for a minute; one probe is enough to know.
    """
    quiet_import()
    from huggingface_hub import constants
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    was_offline, had_bars = constants.HF_HUB_OFFLINE, not are_progress_bars_disabled()
    datasets_config = getattr(sys.modules.get("datasets"), "config", None)

    def set_offline(is_offline: bool) -> None:
        constants.HF_HUB_OFFLINE = is_offline
        if datasets_config:
            datasets_config.HF_HUB_OFFLINE = is_offline

    set_offline(was_offline or not is_reachable(constants.ENDPOINT))
    if not sys.stderr.isatty():
        disable_progress_bars()
    try:
        yield
    finally:
        set_offline(was_offline)
        if had_bars:
            enable_progress_bars()


def quiet_import() -> None:
    """Import the progress bars of the hub's libraries without their advice to install widgets."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="IProgress not found")
        importlib.import_module("tqdm.auto")


def commit_of(repo: str, revision: str | None) -> str:
    """Return the commit that a revision of a model stands for, so that records can name it.

    :param repo: Hub id.
    :param revision: Branch, tag or commit; the main branch by default.
    :raises OSError: If neither the hub nor its cache knows it.
    """
    from huggingface_hub import constants, resolve_revision
    from huggingface_hub.errors import RevisionResolutionError

    try:
        return str(resolve_revision(repo, revision=revision, local_files_only=constants.HF_HUB_OFFLINE).resolved)
    except RevisionResolutionError as error:
        raise OSError(str(error)) from error


@functools.cache
def is_reachable(endpoint: str, seconds: float = _PROBE_SECONDS) -> bool:
    """Return whether a hub answers within some seconds; it is asked only once."""
    import httpx

    answers = []

    def ask() -> None:
        with contextlib.suppress(httpx.TransportError):
            answers.append(httpx.head(endpoint, timeout=seconds))

    asking = threading.Thread(target=ask, daemon=True)  # looking up the name has no time limit of its own
    asking.start()
    asking.join(seconds)
    return bool(answers)


def is_in_cache(repo: str, revision: str | None) -> bool:
    """Return whether a model has been loaded from the hub before; the network is not used."""
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(repo, "config.json", revision=revision), str)
