"""One style for every figure: legible in every script, for colour-blind readers, and in grey."""

from __future__ import annotations

import html
import importlib.util
from collections.abc import Iterable
from functools import cache
from itertools import cycle
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib.pyplot as plt
import seaborn as sns
from IPython.display import HTML, display
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

# Okabe and Ito's palette, in an order that also differs in lightness
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

# Packages that hold fonts and no code. Matplotlib's own DejaVu Sans covers Latin, Cyrillic, Greek, Arabic and Hebrew.
FONT_FILES = (
    ("pylopdf_fonts_zh_cn", "NotoSansSC-Regular.otf"),
    ("pylopdf_fonts_ko", "NotoSansKR-Regular.otf"),
    ("manimgx_fonts", "NotoSansThai[wght].ttf"),
    ("manimgx_fonts", "NotoSansDevanagari[wght].ttf"),
)
# Inches. A page shows a figure 688 pixels wide: within these, letters of 9 points have 10 to 13 pixels.
_NARROWEST, _WIDEST = 6.8, 8.0
SMALL = 9  # points
_LETTERS = 11  # of a label, per inch
_SETTINGS = {
    "text.parse_math": False,  # names of data may hold dollar signs
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "x",
    "grid.alpha": 0.6,
    "legend.frameon": False,
    "figure.titlesize": 12,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "figure.dpi": 210,  # twice the pixels of a page, for dense screens
    "savefig.bbox": "tight",
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": 0.1,
}


@cache
def font_families() -> tuple[str, ...]:
    """Register the fonts of the packages and return the families to search for a glyph, in order."""
    families = ["DejaVu Sans"]
    for package, file in FONT_FILES:
        spec = importlib.util.find_spec(package)
        if spec and spec.origin:
            path = Path(spec.origin).parent / file
            font_manager.fontManager.addfont(path)
            families.append(font_manager.get_font(path).family_name)
    return tuple(families)


def use_style() -> None:
    """Apply the book's style to seaborn and matplotlib."""
    sns.set_theme("paper", "ticks", COLOURS, rc={**_SETTINGS, "font.family": list(font_families())})


def looks(names: Iterable[str]) -> dict[str, Any]:
    """Return seaborn's arguments that give each name a colour and a marker, the same in every panel."""
    order = list(dict.fromkeys(names))
    palette = dict(zip(order, cycle(COLOURS), strict=False))
    markers = dict(zip(order, cycle(MARKERS), strict=False))
    return {"hue_order": order, "style_order": order, "palette": palette, "markers": markers}


def panels(
    title: str,
    headings: Iterable[str],
    size: tuple[float, float],
    *,
    columns: int = 3,
    margin: tuple[float, float] = (0.5, 0.6),
    xlabel: str = "",
    **options: Any,
) -> tuple[Figure, list[Axes]]:
    """Make a figure with a panel for each heading; without any it says that nothing was measured.

    :param size: Width and height of a panel, in inches; panels become narrower or wider to fit a page.
    :param columns: Most panels side by side.
    :param margin: Width and height around the panels, in inches.
    :param xlabel: Label of the x axis, written below the lowest panel of each column.
    :param options: Arguments of `plt.subplots`, such as `sharex`.
    """
    use_style()
    names = list(headings)
    columns = max(min(columns, len(names)), 1)
    rows = max(-(-len(names) // columns), 1)
    width = min(max(size[0] * columns + margin[0], _NARROWEST), _WIDEST)
    height = size[1] * rows + margin[1] if names else 0.9
    figure, grid = plt.subplots(rows, columns, figsize=(width, height), squeeze=False, **options)
    plt.close(figure)  # a notebook shows what a cell returns; left open, it would be shown twice
    figure.suptitle(fill(title, int(0.9 * _LETTERS * width)), x=0.01, ha="left")
    axes = list(grid.flat)
    for axis, heading in zip(axes, names, strict=False):
        axis.set_title(heading)
    for axis in axes[max(len(names) - columns, 0) : len(names)]:
        axis.set_xlabel(fill(xlabel, int(_LETTERS * (width - margin[0]) / columns)))
        axis.tick_params(labelbottom=True)  # shared axes label the last row only, which may be incomplete
    for axis in axes[len(names) :]:
        axis.set_axis_off()
    if not names:
        axes[0].text(0, 0.5, "Nothing to draw: this was not measured.", color="#555555")
    return figure, axes[: len(names)]


def shared_legend(figure: Figure, columns: int = 4) -> None:
    """Replace the legends of the panels by one below all of them."""
    handles: dict[str, Any] = {}
    for axis in figure.axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
        if legend := axis.get_legend():
            legend.remove()
    if handles:
        figure.legend(list(handles.values()), list(handles), loc="outside lower left", ncols=columns)


def captioned(figure: Figure, caption: str) -> HTML:
    """Show a figure and return its caption, the last expression of its cell.

    :param caption: The data, how many texts were measured, and what the intervals are.
    """
    display(figure)
    return HTML(f'<p class="figure-caption">{html.escape(caption)}</p>')


def rank_axis(axis: Axes) -> None:
    """Make the x axis logarithmic, with ranks written as plain numbers."""
    axis.set_xscale("log")
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.xaxis.set_minor_locator(NullLocator())
