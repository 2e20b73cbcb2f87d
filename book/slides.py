"""Slides of each chapter, made from its executed notebook: one stack per heading, one slide per figure or table."""

from __future__ import annotations

import base64
import hashlib
import html
import importlib.util
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from latex2mathml.converter import convert
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin

_REVEAL = ("dist/reveal.js", "dist/reveal.css", "dist/reset.css")
_ROLE = re.compile(r"\{[a-z:]+\}`([^`<]+?)(?:\s*<[^`]*>)?`")  # {doc}`text <target>`
_FENCE = re.compile(r"^(`{3,}|:{3,})\{.*?^\1\s*$", re.DOTALL | re.MULTILINE)  # directives, such as exercises
_SHORT = 450  # characters; a shorter text leaves room for a figure
_ANNOUNCEMENT = 120  # characters; a shorter text that ends in a colon says nothing without what follows
_SEEN = ("<img", "<table", "<math")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="reveal/reset.css"><link rel="stylesheet" href="reveal/reveal.css">
<link rel="stylesheet" href="slides.css"></head>
<body><div class="reveal"><div class="slides">
{slides}
</div></div>
<script src="reveal/reveal.js"></script>
<script>
// A slide that is larger than the screen gets smaller letters, then lines that wrap; beyond what is legible it scrolls.
function fit(event) {{
  const box = event.currentSlide.firstElementChild;
  const tables = [...box.querySelectorAll(".wide")];
  const isWide = (table) => table.scrollWidth > table.clientWidth + 1;
  const overflows = () => box.scrollHeight > box.clientHeight + 1 || tables.some(isWide);
  for (const smallest of [70, 55]) {{
    for (let size = 100; size >= smallest && overflows(); size -= 5) box.style.fontSize = size + "%";
    if (overflows()) box.classList.add("wrap");
  }}
}}
Reveal.on("ready", fit);
Reveal.on("slidechanged", fit);
Reveal.initialize({{hash: true, slideNumber: "c/t", width: 1200, height: 760, transition: "none"}});
</script>
</body></html>
"""


def write_slides(notebooks: list[Path], folder: Path) -> None:
    """Write the slides of executed notebooks to a folder, with everything they need to work offline."""
    (folder / "reveal").mkdir(parents=True)
    package = Path(str(importlib.util.find_spec("sphinx_revealjs").origin)).parent  # type: ignore[union-attr]
    for name in _REVEAL:
        shutil.copy(package / "_static/revealjs" / name, folder / "reveal")
    shutil.copy(Path(__file__).with_name("slides.css"), folder)
    for path in notebooks:
        notebook = nbformat.read(path, as_version=4)
        stacks = []
        for stack in stacks_of(notebook):
            slides = "".join(f'<section tabindex="0"><div>{slide}</div></section>' for slide in stack)
            stacks.append(f"<section>{slides}</section>")
        title = notebook.cells[0].source.splitlines()[0].lstrip("# ")
        (folder / f"{path.stem}.html").write_text(_PAGE.format(title=html.escape(title), slides="\n".join(stacks)))


def stacks_of(notebook: Any) -> Iterator[list[str]]:
    """Yield the stacks of slides of a notebook: one stack per heading, with one slide per figure or table.

    The first figure or table after a short text shares its slide. The drawing in a long text gets a slide of its own.
    Slides that say nothing are left out: a heading alone, and words that announce code.
    """
    for stack in _stacks(notebook):
        kept = [slide for slide in stack if says_something(slide)]
        heading = re.match(r"(?s)\s*<h\d>.*?</h\d>", stack[0])
        if kept and heading and kept[0] is not stack[0]:
            kept[0] = heading.group() + kept[0]
        if kept:
            yield kept


def says_something(slide: str) -> bool:
    """Return whether a slide has more than a heading or the announcement of something that is not on it."""
    if any(mark in slide for mark in _SEEN) or slide.startswith("<h1"):
        return True
    text = re.sub(r"(?s)<h\d>.*?</h\d>|<[^>]+>", "", slide).strip()
    return bool(text) and not (text.endswith(":") and len(text) < _ANNOUNCEMENT)


def _stacks(notebook: Any) -> Iterator[list[str]]:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table").use(dollarmath_plugin, renderer=formula)
    stack: list[str] = []
    has_room = False
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for part in filter(str.strip, re.split(r"(?m)^(?=#{1,3} )", plain(cell.source))):
                if part.startswith("#") and stack:
                    yield stack
                    stack = []
                drawings = re.split(r"(?m)^(?=!\[)", part) if len(part) > _SHORT else [part]
                stack += map(markdown.render, drawings)
                has_room = len(part) < _SHORT and "![" not in part and not part.startswith("# ")
        elif "hide-output" not in cell.metadata.get("tags", []):
            alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
            for shown in filter(None, (show(output, alt, markdown) for output in cell.outputs)):
                if has_room:
                    stack[-1] += shown
                else:
                    stack.append(shown)
                has_room = False
    yield stack


def formula(tex: str, options: dict[str, bool]) -> str:
    """Return a formula as MathML, which browsers show without a script."""
    return str(convert(tex, display="block" if options["display_mode"] else "inline"))


def plain(text: str) -> str:
    """Return the Markdown of a page without directives and roles."""
    return _ROLE.sub(r"\1", _FENCE.sub("", text)).replace("](../book/images/", "](../_images/")


def show(output: Any, alt: str, markdown: MarkdownIt) -> str:
    """Return one output as HTML: a figure, a table or text; empty for anything that needs a script."""
    data = output.get("data", {})
    if "image/png" in data:
        name = hashlib.sha256(base64.b64decode(data["image/png"])).hexdigest()  # as the pages call their figures
        return f'<img src="../_images/{name}.png" alt="{html.escape(alt)}">'
    if "text/markdown" in data:
        return str(markdown.render(data["text/markdown"]))
    if "text/html" in data and "<script" not in data["text/html"] and "<table" in data["text/html"]:
        return f'<div class="wide">{re.sub(r"(?s)<style.*?</style>", "", data["text/html"])}</div>'
    return ""
