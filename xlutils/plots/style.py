"""One style for every figure: legible in every script, for the colour-blind, and in grey."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Regular weights only; the packages hold fonts and no code. Latin, Cyrillic, Greek, Arabic and Hebrew are
# covered by matplotlib's own DejaVu Sans.
FONT_FILES = (
    ("pylopdf_fonts_zh_cn", "NotoSansSC-Regular.otf"),
    ("pylopdf_fonts_ko", "NotoSansKR-Regular.otf"),
    ("manimgx_fonts", "NotoSansThai[wght].ttf"),
    ("manimgx_fonts", "NotoSansDevanagari[wght].ttf"),
)
_SYSTEM_FONTS = ("Noto Sans CJK SC", "Noto Sans Thai", "Noto Sans Devanagari", "Hiragino Sans GB", "Microsoft YaHei")


@cache
def font_families() -> tuple[str, ...]:
    """Register the fonts of the packages and return the families to look through, in order."""
    from matplotlib import font_manager

    families = ["DejaVu Sans"]
    for package, file in FONT_FILES:
        spec = importlib.util.find_spec(package)
        if spec and spec.origin:
            path = Path(spec.origin).parent / file
            font_manager.fontManager.addfont(path)
            families.append(font_manager.get_font(path).family_name)
    there = {font.name for font in font_manager.fontManager.ttflist}
    families += [family for family in _SYSTEM_FONTS if family in there and family not in families]
    return tuple(families)


def use_style() -> None:
    """Apply the book's style to matplotlib."""
    import matplotlib as mpl

    mpl.rcParams.update(
        {
            "font.family": list(font_families()),
            "font.size": 10,
            "axes.titlesize": 11,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "figure.dpi": 100,
            "savefig.dpi": 150,
            "savefig.bbox": "tight",
            "figure.constrained_layout.use": True,
            "figure.constrained_layout.h_pad": 0.1,
        }
    )


def empty_figure(title: str) -> Figure:
    """Say in the place of a figure that there is nothing to draw."""
    import matplotlib.pyplot as plt

    use_style()
    figure, axis = plt.subplots(figsize=(7, 0.9))
    axis.axis("off")
    axis.text(0, 0.5, "Nothing to draw: this was not measured.", color="#555555")
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)
    return figure


# Okabe and Ito's palette, in an order that also differs in lightness
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#7F7F7F", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
