"""Batches for training: which pair, which crop and which turn are a pure function of (seed, number of the sample)."""

from srzoo.data.batch import Batch, PixelBatch
from srzoo.data.loader import Batches, DataConfig
from srzoo.data.split import Split, hold_out

__all__ = ["Batch", "Batches", "DataConfig", "PixelBatch", "Split", "hold_out"]
