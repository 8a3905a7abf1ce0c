"""Models over test sets whose truth is known: figures of every picture, their means, and the papers' rows beside them.

`pairs` finds the pictures, `measures` says what is measured, `run` does it, `table` lays it out, `anchors` holds what
was published.

Of networks that make LR, against real pairs: `scenes` reads those, `learned_degraders` runs the networks,
`plain_degraders` what they have to beat, `degraders` measures, with `linear_part` for noise, and `degrader_table` lays
it out. Of those that learned without pairs: `tell_apart` trains a critic on what they make, `follow_noise` compares its
noise with that of the reference.
"""

from srzoo.evaluate.measures import COLUMNS, Figures, Measures
from srzoo.evaluate.pairs import Pair, TestSet, find_pairs, find_set
from srzoo.evaluate.run import Judged, Method, Upscale, evaluate, made_by, mean
from srzoo.evaluate.table import Grid, Results, markdown, means_grid, pictures_grid
from srzoo.upscale.bicubic import BICUBIC

__all__ = [
    "BICUBIC",
    "COLUMNS",
    "Figures",
    "Grid",
    "Judged",
    "Measures",
    "Method",
    "Pair",
    "Results",
    "TestSet",
    "Upscale",
    "evaluate",
    "find_pairs",
    "find_set",
    "made_by",
    "markdown",
    "mean",
    "means_grid",
    "pictures_grid",
]
