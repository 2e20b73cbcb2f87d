"""Figures: results in, matplotlib Figure out. One style, colour-blind safe, every script legible."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# Regular weights only; the packages hold fonts and no code. Latin, Cyrillic, Greek, Arabic and Hebrew are
# covered by matplotlib's own DejaVu Sans.
_FONT_FILES = (
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
    for package, file in _FONT_FILES:
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


def similarity_matrices(
    similarities: Mapping[str, np.ndarray], words: Sequence[str], concepts: Sequence[str], title: str
) -> Figure:
    """Draw one matrix of cosines a model, words ordered by concept: good alignment shows as dark blocks.

    :param similarities: For each model the cosines of all pairs, float [n, n].
    :param words: n words, the labels of rows and columns.
    :param concepts: n concept ids; words of one concept stand together.
    :param title: The question the figure answers.
    :return: The figure.
    """
    import matplotlib.pyplot as plt

    use_style()
    count = len(similarities)
    side = 0.17 * len(words)
    size = (side + 2, side * count + 1.2)  # one above the other, so that the words stay legible on a page
    figure, axes = plt.subplots(count, 1, figsize=size, sharex=True, squeeze=False)
    edges = [row - 0.5 for row in range(1, len(words)) if concepts[row] != concepts[row - 1]]
    for axis, (model, matrix) in zip(axes[:, 0], similarities.items(), strict=True):
        image = axis.imshow(matrix, vmin=0, vmax=1, cmap="Blues")
        for edge in edges:
            axis.axhline(edge, color="white", linewidth=1.5)
            axis.axvline(edge, color="white", linewidth=1.5)
        axis.set_title(model)
        axis.set_xticks(range(len(words)), words, rotation=90, fontsize=8)
        axis.set_yticks(range(len(words)), words, fontsize=8)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
    figure.colorbar(image, ax=axes, shrink=0.5, label="cosine", pad=0.02)
    figure.suptitle(title, x=0.01, ha="left", fontsize=12)
    plt.close(figure)  # a notebook shows what a cell returns; left open, it would be shown twice
    return figure
