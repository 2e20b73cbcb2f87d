"""The reference: one page per room of the package, made from its docstrings."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {
    "datasets": "xlutils.datasets: word lists, parallel questions and sentences, triples, languages",
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
    """Write the pages into a folder."""
    folder.mkdir(exist_ok=True)
    for room, title in ROOMS.items():
        (folder / f"{room}.md").write_text(api_page(room, title), encoding="utf-8")


def api_page(room: str, title: str) -> str:
    """Return one page: the room itself, then its modules in alphabetical order."""
    prefix = title.split(":")[0]
    names = sorted(path.stem for path in (ROOT / prefix.replace(".", "/")).glob("*.py") if path.stem != "__init__")
    parts = [f"# {title}", automodule(prefix)]
    for name in names:
        parts += [f"## {prefix}.{name}", automodule(f"{prefix}.{name}")]
    return "\n\n".join(parts) + "\n"


def automodule(name: str) -> str:
    """Return the directive that documents what a module defines."""
    options = "   :members:\n   :ignore-module-all:\n   :member-order: bysource\n"
    return f"```{{eval-rst}}\n.. automodule:: {name}\n{options}```"
