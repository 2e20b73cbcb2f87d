"""The reference: a page for each room of the package, from its docstrings."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {
    "datasets": "xlutils.datasets: word lists, parallel questions, triples",
    "models": "xlutils.models: one interface for every encoder",
    "metrics": "xlutils.metrics: functions on arrays",
    "training": "xlutils.training: losses and fine-tuning",
    "results": "xlutils.results: records, comparisons, exports",
    "leaderboard": "xlutils.results.leaderboard: all records on one board",
    "plots": "xlutils.plots: one function per figure",
    "chapters": "xlutils.chapters: what the chapters measure",
    "runs": "xlutils.runs: parameters, runs, sweeps",
}


def write_api(folder: Path) -> None:
    """Write the pages.

    :param folder: Where they go.
    """
    folder.mkdir(exist_ok=True)
    for room, title in ROOMS.items():
        (folder / f"{room}.md").write_text(api_page(room, title), encoding="utf-8")


def api_page(room: str, title: str) -> str:
    """Write one page: its modules in the order of their names, the room itself first."""
    prefix = title.split(":")[0]
    names = sorted(path.stem for path in (ROOT / prefix.replace(".", "/")).glob("*.py") if path.stem != "__init__")
    parts = [f"# {title}", automodule(prefix)]
    for name in names:
        parts += [f"## {prefix}.{name}", automodule(f"{prefix}.{name}")]
    return "\n\n".join(parts) + "\n"


def automodule(name: str) -> str:
    """Write the directive that documents what is defined in a module."""
    options = "   :members:\n   :ignore-module-all:\n   :member-order: bysource\n"  # not what it imports
    return f"```{{eval-rst}}\n.. automodule:: {name}\n{options}```"
