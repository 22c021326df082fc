"""Figures of what the other helpers return: token tables, guesses for a gap, next-sentence bars, heat maps.

Each figure has two functions. `figure_top_k(...)` builds it from data and returns it; `top_k(...)` builds it and shows it
with an alternative text made from the same data. Size, colours and font are set in `style`, once: Okabe & Ito's colours, which
colour-blind readers can tell apart (jfly.uni-koeln.de/color), and the course's font for Hangul. Nothing is said by colour
alone.
"""

from helpers.plots.maps import alt_sentence_space, figure_sentence_space, principal_components, sentence_space
from helpers.plots.matrices import alt_matrix, figure_matrix, matrix
from helpers.plots.predictions import (
    alt_next_sentence, alt_top_k, figure_next_sentence, figure_top_k, next_sentence, top_k,
)
from helpers.plots.style import BAR_COLOUR, COLOURS, FOLLOWS_COLOUR, RANDOM_COLOUR, SEGMENT_COLOURS, png, show
from helpers.plots.text import display_width, wrap
from helpers.plots.tokens import alt_token_table, figure_token_table, token_table
from helpers.plots.trainings import (
    alt_strategies, alt_training_steps, figure_strategies, figure_training_steps, recorded_steps, strategies, training_steps,
)

__all__ = [
    "BAR_COLOUR", "COLOURS", "FOLLOWS_COLOUR", "RANDOM_COLOUR", "SEGMENT_COLOURS", "alt_matrix",
    "alt_next_sentence", "alt_sentence_space", "alt_strategies", "alt_token_table", "alt_top_k",
    "alt_training_steps", "display_width", "figure_matrix", "figure_next_sentence", "figure_sentence_space",
    "figure_strategies", "figure_token_table", "figure_top_k", "figure_training_steps", "matrix", "next_sentence",
    "png", "principal_components", "recorded_steps", "sentence_space", "show", "strategies", "token_table", "top_k",
    "training_steps", "wrap",
]
