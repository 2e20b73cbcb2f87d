"""The reference: a page for each room of the package, from its docstrings."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "xlutils"
ROOMS = {
    "package": "xlutils: models, records, store, runs",
    "datasets": "xlutils.datasets: word lists, parallel questions, triples",
    "models": "xlutils.models: one interface for every encoder",
    "metrics": "xlutils.metrics: functions on arrays",
    "training": "xlutils.training: losses and fine-tuning",
    "studies": "xlutils.studies: what the chapters measure",
    "plots": "xlutils.plots: one function a figure",
    "leaderboard": "xlutils.leaderboard: all records on one board",
}
_PRIVATE_TO_THE_SHELL = ("cli", "cli_results")


def write_api(folder: Path) -> None:
    """Write the pages.

    :param folder: Where they go.
    """
    folder.mkdir(exist_ok=True)
    for room, title in ROOMS.items():
        (folder / f"{room}.md").write_text(api_page(room, title), encoding="utf-8")


def api_page(room: str, title: str) -> str:
    """Write one page: its modules in the order of their names, the room itself first."""
    inside = PACKAGE if room == "package" else PACKAGE / room
    prefix = "xlutils" if room == "package" else f"xlutils.{room}"
    names = sorted(path.stem for path in inside.glob("*.py") if path.stem not in ("__init__", *_PRIVATE_TO_THE_SHELL))
    parts = [f"# {title}", automodule(prefix)]
    for name in names:
        parts += [f"## {prefix}.{name}", automodule(f"{prefix}.{name}")]
    return "\n\n".join(parts) + "\n"


def automodule(name: str) -> str:
    """Write the directive that documents what is defined in a module."""
    options = "   :members:\n   :ignore-module-all:\n   :member-order: bysource\n"  # not what it imports
    return f"```{{eval-rst}}\n.. automodule:: {name}\n{options}```"
