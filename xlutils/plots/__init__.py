"""Figures: results in, matplotlib Figure (or HTML) out; nothing is computed here."""

from xlutils.plots.affinity import affinity_heatmap, disturbance_curves, tier_chart
from xlutils.plots.concepts import concept_panels, model_comparison
from xlutils.plots.depth import depth_chart
from xlutils.plots.interactive import interactive_map
from xlutils.plots.intervals import interval_chart
from xlutils.plots.maps import word_maps
from xlutils.plots.matrices import similarity_matrices
from xlutils.plots.retrieval import asked_chart, rank_curves, share_bars
from xlutils.plots.training import change_panels, distributions, gradient_bars, loss_curves, pair_clouds

__all__ = [
    "affinity_heatmap",
    "asked_chart",
    "change_panels",
    "concept_panels",
    "depth_chart",
    "distributions",
    "disturbance_curves",
    "gradient_bars",
    "interactive_map",
    "interval_chart",
    "loss_curves",
    "model_comparison",
    "pair_clouds",
    "rank_curves",
    "share_bars",
    "similarity_matrices",
    "tier_chart",
    "word_maps",
]
