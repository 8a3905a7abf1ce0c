"""Batches for training: which pair, which crop and which turn are a pure function of (seed, number of the sample)."""

from srzoo.data.batch import Batch
from srzoo.data.loader import Batches, DataConfig, check_batch, check_patch
from srzoo.data.order import Group, SampleOrder
from srzoo.data.sets import JoinedPairs, SetChoice, read_choice
from srzoo.data.split import Split, hold_out
from srzoo.data.where import Where, matching, parse_where

__all__ = [
    "Batch",
    "Batches",
    "DataConfig",
    "Group",
    "JoinedPairs",
    "SampleOrder",
    "SetChoice",
    "Split",
    "Where",
    "check_batch",
    "check_patch",
    "hold_out",
    "matching",
    "parse_where",
    "read_choice",
]
