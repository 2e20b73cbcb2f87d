"""Figures: one function per kind of figure, from a title and tables to a matplotlib Figure (or HTML).

Every `title` is the question that the figure answers. Intervals are light bars behind their dots; values that a paper
reported are hollow.
"""

from xlutils.plots.charts import (
    disturbance_curves,
    gradient_bars,
    loss_curves,
    pair_clouds,
    rank_curves,
    share_bars,
)
from xlutils.plots.concepts import concept_panels
from xlutils.plots.intervals import (
    asked_chart,
    change_panels,
    depth_chart,
    interval_chart,
    model_comparison,
    tier_chart,
)
from xlutils.plots.layout import map_words
from xlutils.plots.maps import interactive_map, word_maps
from xlutils.plots.matrices import affinity_heatmap, similarity_matrices

__all__ = [
    "affinity_heatmap",
    "asked_chart",
    "change_panels",
    "concept_panels",
    "depth_chart",
    "disturbance_curves",
    "gradient_bars",
    "interactive_map",
    "interval_chart",
    "loss_curves",
    "map_words",
    "model_comparison",
    "pair_clouds",
    "rank_curves",
    "share_bars",
    "similarity_matrices",
    "tier_chart",
    "word_maps",
]
