"""Shards: LR-HR pairs in HDF5 files, written whole, checked on every read. `FORMATS.md` tells the format."""

from degrade.shards.layout import Rows, ShardHeader
from degrade.shards.order import epoch_order
from degrade.shards.reader import Shard, ShardSet, StoredPair, open_shards
from degrade.shards.verify import verify
from degrade.shards.writer import write_shard

__all__ = [
    "Rows",
    "Shard",
    "ShardHeader",
    "ShardSet",
    "StoredPair",
    "epoch_order",
    "open_shards",
    "verify",
    "write_shard",
]
