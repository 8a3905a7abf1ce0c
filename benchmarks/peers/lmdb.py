"""LMDB: raw bytes, both sides in one value, copied out as a training batch needs them; plain, and checked as ours."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from peers.reading import Absent, Side, one_at_a_time


def prepare(folder: Path, pairs: Sequence[tuple[Side, Side]], order: Sequence[int]) -> dict[str, Callable[[], int]]:
    try:
        import lmdb
    except ImportError:
        raise Absent("pip install lmdb") from None
    path = str(folder / "lmdb")
    with lmdb.open(path, map_size=1 << 33) as database, database.begin(write=True) as transaction:
        for i, (lr, hr) in enumerate(pairs):
            transaction.put(str(i).encode(), lr.tobytes() + hr.tobytes())
    reader = lmdb.open(path, readonly=True, lock=False).begin(buffers=True)
    lr, hr = pairs[0]

    def read(i: int) -> tuple[Side, Side]:
        data = np.frombuffer(reader.get(str(i).encode()), np.uint8)
        return data[: lr.size].reshape(lr.shape).copy(), data[lr.size :].reshape(hr.shape).copy()

    sums = [zlib.crc32(lr.tobytes() + hr.tobytes()) for lr, hr in pairs]

    def read_checked(i: int) -> tuple[Side, Side]:
        if zlib.crc32(reader.get(str(i).encode())) != sums[i]:
            raise ValueError(f"pair {i} is damaged")
        return read(i)

    return {"LMDB": one_at_a_time(read, order), "LMDB, with a CRC": one_at_a_time(read_checked, order)}
