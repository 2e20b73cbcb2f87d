"""Figures: results in, matplotlib Figure (or HTML) out; nothing is computed here."""

from xlutils.plots.concepts import concept_panels, model_comparison
from xlutils.plots.interactive import interactive_map
from xlutils.plots.matrices import similarity_matrices

__all__ = ["concept_panels", "interactive_map", "model_comparison", "similarity_matrices"]
