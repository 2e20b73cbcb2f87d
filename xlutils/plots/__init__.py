"""Figures: one function per kind of figure, from a title and tables to a matplotlib Figure (or HTML).

Every `title` is the question that the figure answers. Intervals are light bars behind their dots; values that a paper
reported are hollow.
"""

from xlutils.plots.atlas import language_ladder as language_ladder
from xlutils.plots.atlas import pair_ladder as pair_ladder
from xlutils.plots.atlas import repair_curves as repair_curves
from xlutils.plots.atlas import speakers_reached as speakers_reached
from xlutils.plots.atlas import tokens_against_accuracy as tokens_against_accuracy
from xlutils.plots.charts import disturbance_curves as disturbance_curves
from xlutils.plots.charts import gradient_bars as gradient_bars
from xlutils.plots.charts import growth_curves as growth_curves
from xlutils.plots.charts import loss_curves as loss_curves
from xlutils.plots.charts import pair_clouds as pair_clouds
from xlutils.plots.charts import prediction_panels as prediction_panels
from xlutils.plots.charts import rank_curves as rank_curves
from xlutils.plots.charts import share_bars as share_bars
from xlutils.plots.charts import slope_chart as slope_chart
from xlutils.plots.concepts import concept_strips as concept_strips
from xlutils.plots.concepts import pair_bars as pair_bars
from xlutils.plots.concepts import retrieval_heatmap as retrieval_heatmap
from xlutils.plots.dial import interactive_dial as interactive_dial
from xlutils.plots.factors import factor_panels as factor_panels
from xlutils.plots.intervals import SCORES as SCORES
from xlutils.plots.intervals import asked_chart as asked_chart
from xlutils.plots.intervals import change_panels as change_panels
from xlutils.plots.intervals import depth_chart as depth_chart
from xlutils.plots.intervals import gap_chart as gap_chart
from xlutils.plots.intervals import interval_chart as interval_chart
from xlutils.plots.intervals import model_comparison as model_comparison
from xlutils.plots.intervals import series_chart as series_chart
from xlutils.plots.intervals import tier_chart as tier_chart
from xlutils.plots.layout import map_words as map_words
from xlutils.plots.maps import interactive_map as interactive_map
from xlutils.plots.maps import word_maps as word_maps
from xlutils.plots.matrices import affinity_heatmap as affinity_heatmap
from xlutils.plots.matrices import similarity_matrices as similarity_matrices
from xlutils.plots.matrices import step_heatmaps as step_heatmaps
from xlutils.plots.relations import phenomenon_maps as phenomenon_maps
from xlutils.plots.style import captioned as captioned
from xlutils.plots.tradeoff import tradeoff_chart as tradeoff_chart
from xlutils.plots.world import interactive_atlas as interactive_atlas
from xlutils.plots.world import world_map as world_map
