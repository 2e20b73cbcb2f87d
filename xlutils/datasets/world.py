"""The outline of the world's land, for maps of languages."""

from __future__ import annotations

import json

import numpy as np
from numpy.typing import NDArray

from xlutils.datasets.files import BUILTIN, read_text


def load_coastline() -> list[NDArray[np.float64]]:
    """Return the outlines of continents and islands.

    :return: One closed line per outline, [points, 2]: degrees east and degrees north.
    """
    return [np.array(outline) for outline in json.loads(read_text(BUILTIN / "coastline.json.gz"))]
