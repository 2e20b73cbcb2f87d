"""Matrices of cosines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from xlutils.plots.style import use_style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
