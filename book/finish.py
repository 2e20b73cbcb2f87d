"""Finish the site that Sphinx has written: remove unused scripts, shrink icons, add fonts for every script."""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import nbformat
from citation import meta_tags
from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib import get_data_path

from xlutils.plots.style import FONT_FILES

# An interactive shell that the book does not use and that is declared twice, and an icon script that the style
# sheet replaces at a hundredth of the size
_DEAD = re.compile(
    r'\s*<script(?: async="async")?[^>]*>(?:const THEBE_JS_URL[^<]*)</script>'
    r'|\s*<script[^>]*src="[^"]*(?:sphinx-thebe|scripts/fontawesome)\.js[^"]*"[^>]*></script>'
    r'|\s*<link[^>]*href="[^"]*sphinx-thebe\.css[^"]*"[^>]*>'
    r'|\s*<script type="text/x-thebe-config">.*?</script>',
    re.DOTALL,
)
_DEAD_FILES = (
    "*.map",
    "*webpack-macros.html",
    "scripts/fontawesome.js",
    "sphinx-thebe.*",
    "webfonts/*.ttf",
    "webfonts/fa-brands*",
    "webfonts/fa-regular*",
    "*.mo",  # translations of a theme that speaks English here
    "*.po",
)
_ICONS = "_static/vendor/fontawesome/webfonts/fa-solid-900.woff2"
_ICON = re.compile(r"\bfa-([a-z-]+)")
_MENDED = {  # markup that confuses screen readers
    '<summary><span class="toctree-toggle"': '<summary aria-label="pages below"><span class="toctree-toggle"',
    '<div role="list" class="citation-list">': '<div class="citation-list">',
}
_MAIL = re.compile(r'<a [^>]*href="mailto:[^"]*"[^>]*>(.*?)</a>', re.DOTALL)  # Sphinx takes Complete@10 for one
_FRONT = "book/intro.html"
_INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>The Cross-Lingual Alignment Book</title>
{meta}
<meta http-equiv="refresh" content="0; url=book/intro.html"></head>
<body><a href="book/intro.html">The Cross-Lingual Alignment Book</a></body></html>
"""
_EVERYWHERE = (
    range(0x0590),
    range(0x1E00, 0x2E80),
)  # Latin, Greek, Cyrillic and symbols: fonts on every machine have them

_SINGLE = range(0x2E80, 0xFB00)  # characters of Chinese, Japanese and Korean


def finish(site: Path) -> None:
    """Finish a site.

    :param site: The folder of the built pages.
    """
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    for path, text in pages.items():
        lighter = _MAIL.sub(r"\1", _DEAD.sub("", text))
        if path == site / _FRONT and "og:image" not in text:
            lighter = lighter.replace("</head>", f"{meta_tags()}\n</head>", 1)
        for bad, good in _MENDED.items():
            lighter = lighter.replace(bad, good)
        path.write_text(lighter, encoding="utf-8")
    (site / "index.html").write_text(_INDEX.format(meta=meta_tags("")), encoding="utf-8")
    cut_icons(site / _ICONS, {name for text in pages.values() for name in _ICON.findall(text)})
    for pattern in _DEAD_FILES:
        for path in (site / "_static").rglob(pattern):
            path.unlink()
    for path in site.glob("_sources/**/*.ipynb"):  # to download and run; the pages have the outputs
        notebook = nbformat.read(path, as_version=4)
        clear_outputs(notebook)
        nbformat.write(notebook, path)
    scripts = [path.read_text(encoding="utf-8") for path in site.glob("book/**/*.js")]  # texts that a page shows later
    characters = {character for text in [*pages.values(), *scripts] for character in text}
    write_fonts(site / "_static", characters, pages.get(site / _FRONT, ""))


def clear_outputs(notebook: Any) -> None:
    """Remove the outputs of a notebook, and the numbers of its cells."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None


def cut_icons(font: Path, names: Iterable[str]) -> None:
    """Reduce the icon font to the icons on the pages and the cross that a script adds."""
    named = font.with_suffix(".ttf")  # only this version has the names of the icons
    if named.exists():
        glyphs = TTFont(named).getBestCmap()
        cut_font(named, font, [code for code, name in glyphs.items() if name in {"xmark", *names}])


def write_fonts(folder: Path, characters: Iterable[str], front: str = "") -> None:
    """Reduce the fonts to the characters of the pages and write a style sheet that loads them.

    Chinese, Japanese and Korean characters, which are never joined, are in one file if the front page has them and in
    another if not, so that the front page loads a few.

    :param folder: The folder of static files.
    :param characters: All characters on any page.
    :param front: The front page.
    """
    early = {ord(character) for character in front}
    codes = {code for character in characters for code in drawn_as(character)}
    wanted = {code for code in codes if not any(code in block for block in _EVERYWHERE)}
    rules = []
    for number, path in enumerate(font_paths()):
        covered = wanted & set(TTFont(path, lazy=True).getBestCmap())
        if not covered:
            continue
        wanted -= covered
        late = {code for code in covered - early if code in _SINGLE}
        for name, part in ((f"scripts-{number}.woff2", covered - late), (f"scripts-{number}-more.woff2", late)):
            if not part:
                continue
            cut_font(path, folder / name, part)
            ranges = ", ".join(f"U+{code:X}" for code in sorted(part))
            rules.append(
                f'@font-face {{ font-family: "Book Scripts"; src: url("{name}") format("woff2"); '
                f"font-display: swap; unicode-range: {ranges}; }}"
            )
    (folder / "fonts.css").write_text("\n".join(rules) + "\n", encoding="utf-8")


def drawn_as(character: str) -> set[int]:
    """Return the code points that a browser may draw a character with: Thai am is drawn as a ring and a vowel."""
    parts = [part for part in unicodedata.decomposition(character).split() if not part.startswith("<")]
    return {ord(character), *(int(part, 16) for part in parts)}


def font_paths() -> list[Path]:
    """Return the font files, the same as in the figures; the last one has Arabic and Hebrew."""
    paths = []
    for package, file in FONT_FILES:
        spec = importlib.util.find_spec(package)
        if spec and spec.origin:
            paths.append(Path(spec.origin).parent / file)
    return [*paths, Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf")]


def cut_font(source: Path, target: Path, codes: Iterable[int]) -> None:
    """Write a font with only some of its characters, and with the tables needed to shape them.

    :param codes: Code points to keep.
    """
    options = subset.Options(flavor="woff2", layout_features=["*"], drop_tables=["FFTM"])
    font = subset.load_font(str(source), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=codes)
    cutter.subset(font)
    subset.save_font(font, str(target), options)
