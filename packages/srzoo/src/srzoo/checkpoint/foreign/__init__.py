"""Checkpoints that others wrote, as networks of ours.

files              what a file holds, without running any code in it (`pickled`)
layouts            whose keys they are; `renames` to ours, `sizes` from shapes
through_spandrel   everything else
"""

from srzoo.checkpoint.foreign.files import PICKLES, named_tensors, read_pickle
from srzoo.checkpoint.foreign.layouts import Recognised, recognise
from srzoo.checkpoint.foreign.through_spandrel import load_through_spandrel

__all__ = ["PICKLES", "Recognised", "load_through_spandrel", "named_tensors", "read_pickle", "recognise"]
