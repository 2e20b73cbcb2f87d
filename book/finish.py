"""What is done to the site once Sphinx has written it: lighter pages, no dead scripts, and fonts for every script."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterable
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib import get_data_path

from xlutils.plots.style import FONT_FILES

# An interactive shell that the book does not use and whose script is declared twice, and icons that the style
# sheet draws as well with a hundredth of the weight
_DEAD = re.compile(
    r'\s*<script(?: async="async")?[^>]*>(?:const THEBE_JS_URL[^<]*)</script>'
    r'|\s*<script[^>]*src="[^"]*(?:sphinx-thebe|scripts/fontawesome)\.js[^"]*"[^>]*></script>'
    r'|\s*<link[^>]*href="[^"]*sphinx-thebe\.css[^"]*"[^>]*>'
    r'|\s*<script type="text/x-thebe-config">.*?</script>',
    re.DOTALL,
)
_DEAD_FILES = (
    "*.map", "*webpack-macros.html", "scripts/fontawesome.js", "sphinx-thebe.*", "webfonts/*.ttf",
    "webfonts/fa-brands*", "webfonts/fa-regular*",
)  # fmt: skip
_ICONS = "_static/vendor/fontawesome/webfonts/fa-solid-900.woff2"
_ICON = re.compile(r"\bfa-([a-z-]+)")
_MENDED = {  # what a screen reader stumbles over
    '<summary><span class="toctree-toggle"': '<summary aria-label="pages below"><span class="toctree-toggle"',
    '<div role="list" class="citation-list">': '<div class="citation-list">',
}
_INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>The Cross-Lingual Alignment Book</title>
<meta http-equiv="refresh" content="0; url=book/intro.html"></head>
<body><a href="book/intro.html">The Cross-Lingual Alignment Book</a></body></html>
"""
_EVERYWHERE = (range(0x0590), range(0x2000, 0x2E80))  # Latin, Greek, Cyrillic, and signs: on every machine


def finish(site: Path) -> None:
    """Do it all.

    :param site: The folder of the built pages.
    """
    pages = {path: path.read_text(encoding="utf-8") for path in site.rglob("*.html")}
    for path, text in pages.items():
        lighter = _DEAD.sub("", text)
        for bad, good in _MENDED.items():
            lighter = lighter.replace(bad, good)
        path.write_text(lighter, encoding="utf-8")
    (site / "index.html").write_text(_INDEX, encoding="utf-8")
    cut_icons(site / _ICONS, {name for text in pages.values() for name in _ICON.findall(text)})
    for pattern in _DEAD_FILES:
        for path in (site / "_static").rglob(pattern):
            path.unlink()
    write_fonts(site / "_static", {character for text in pages.values() for character in text})


def cut_icons(font: Path, names: Iterable[str]) -> None:
    """Cut the font of the icons down to those on the pages, and the cross that a script adds."""
    named = font.with_suffix(".ttf")  # here glyphs bear the names of the icons
    if named.exists():
        glyphs = TTFont(named).getBestCmap()
        cut_font(named, font, [code for code, name in glyphs.items() if name in {"xmark", *names}])


def write_fonts(folder: Path, characters: Iterable[str]) -> None:
    """Cut the fonts of the book down to the characters of its pages and write a style sheet that names them.

    :param folder: The static files of the site.
    :param characters: All characters that any page shows.
    """
    wanted = {code for code in map(ord, characters) if not any(code in known for known in _EVERYWHERE)}
    rules = []
    for number, path in enumerate(font_paths()):
        covered = wanted & set(TTFont(path, lazy=True).getBestCmap())
        if not covered:
            continue
        wanted -= covered
        name = f"scripts-{number}.woff2"
        cut_font(path, folder / name, covered)
        ranges = ", ".join(f"U+{code:X}" for code in sorted(covered))
        rules.append(f'@font-face {{ font-family: "Book Scripts"; src: url("{name}") format("woff2"); '
                     f"font-display: swap; unicode-range: {ranges}; }}")  # fmt: skip
    (folder / "fonts.css").write_text("\n".join(rules) + "\n", encoding="utf-8")


def font_paths() -> list[Path]:
    """List the font files that the figures use too; the last one has Arabic and Hebrew."""
    paths = []
    for package, file in FONT_FILES:
        spec = importlib.util.find_spec(package)
        if spec and spec.origin:
            paths.append(Path(spec.origin).parent / file)
    return [*paths, Path(get_data_path(), "fonts/ttf/DejaVuSans.ttf")]


def cut_font(source: Path, target: Path, codes: Iterable[int]) -> None:
    """Write a font with some characters only, and with what it needs to shape them."""
    options = subset.Options(flavor="woff2", layout_features=["*"], drop_tables=["FFTM"])
    font = subset.load_font(str(source), options)
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=codes)
    cutter.subset(font)
    subset.save_font(font, str(target), options)
