"""Batches for training: which pair, which crop and which turn are a pure function of (seed, number of the sample)."""

from srzoo.data.batch import Batch
from srzoo.data.loader import Batches, DataConfig, check_batch, check_patch
from srzoo.data.noise import noise_beside
from srzoo.data.order import Group, SampleOrder
from srzoo.data.sets import JoinedPairs, SetChoice, read_choice
from srzoo.data.split import Split, hold_out
from srzoo.data.unpaired import Patches, Photos, RealCrops, RealSet, large_enough, open_real_lr
from srzoo.data.where import Where, matching, parse_where

__all__ = [
    "Batch",
    "Batches",
    "DataConfig",
    "Group",
    "JoinedPairs",
    "Patches",
    "Photos",
    "RealCrops",
    "RealSet",
    "SampleOrder",
    "SetChoice",
    "Split",
    "Where",
    "check_batch",
    "check_patch",
    "hold_out",
    "large_enough",
    "matching",
    "noise_beside",
    "open_real_lr",
    "parse_where",
    "read_choice",
]
