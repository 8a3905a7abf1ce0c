"""What a recipe uses: pools, learned degraders, folders of photographs; known by SHA-256, opened once per process.

A degrader is opened where it runs, in `ops/learned.py`.
"""

from degrade.assets.photos import reference
from degrade.assets.places import (
    KINDS,
    SUFFIX,
    Asset,
    ModelFile,
    PoolFile,
    Reference,
    ReferenceFolder,
    find,
    is_packaged,
    packaged,
    place,
    references,
    register,
)
from degrade.assets.pools import FORMAT, FORMAT_VERSION, Pool, pool, write_pool

__all__ = [
    "FORMAT", "FORMAT_VERSION", "KINDS", "SUFFIX", "Asset", "ModelFile", "Pool", "PoolFile", "Reference",
    "ReferenceFolder", "find", "is_packaged", "packaged", "place", "pool", "reference", "references", "register",
    "write_pool",
]  # fmt: skip
