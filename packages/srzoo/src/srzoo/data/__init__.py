"""Batches for training: which pair, which crop and which turn are a pure function of (seed, number of the sample)."""

from srzoo.data.batch import Batch
from srzoo.data.loader import Batches, DataConfig, check_patch
from srzoo.data.split import Split, hold_out

__all__ = ["Batch", "Batches", "DataConfig", "Split", "check_patch", "hold_out"]
