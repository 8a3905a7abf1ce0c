"""Pools: blur kernels and noise measured on real photographs. Read without pickles, opened once per process."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from degrade.assets.places import MAX_BYTES, place, read
from degrade.atomic import write_bytes
from degrade.errors import IntegrityError

FORMAT = "degrade-pool"
FORMAT_VERSION = 1


@dataclass(frozen=True, eq=False)
class Pool:
    """What was measured on real photographs.

    Attributes:
        kernels: (N, k, k) float32, k odd, each summing to 1: blur kernels at HR size. N may be 0.
        noise: (P, p, p, 3) int16: mean-free noise in 1/256 grey level. P may be 0.
        card: origin photos by SHA-256, the rule and the thresholds.
    """

    kernels: NDArray[np.float32]
    noise: NDArray[np.int16]
    card: Mapping[str, Any]


def pool(sha256: str) -> Pool:
    """The pool with that SHA-256.

    Raises:
        IntegrityError: not registered in this process, changed since, or not a pool.
    """
    return _opened(sha256)


def write_pool(
    path: Path,
    *,
    kernels: NDArray[np.float32] | None = None,
    noise: NDArray[np.int16] | None = None,
    card: Mapping[str, Any],
    overwrite: bool = False,
) -> None:
    """Write a pool; the same contents give the same bytes.

    Raises:
        ResourceError: the file cannot be written.
    """
    stated = json.dumps({"format": FORMAT, "format_version": FORMAT_VERSION, **card}, sort_keys=True).encode()
    arrays: dict[str, NDArray[Any]] = {"card": np.frombuffer(stated, np.uint8)}
    if kernels is not None and len(kernels):
        arrays["kernels"] = np.ascontiguousarray(kernels, np.float32)
    if noise is not None and len(noise):
        arrays["noise"] = np.ascontiguousarray(noise, np.int16)
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    write_bytes(path, file.getvalue(), overwrite=overwrite)


@lru_cache(maxsize=8)
def _opened(sha256: str) -> Pool:
    path = place(sha256, "pool")
    data = read(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise IntegrityError(path, "the pool changed while it was in use", "start over with the pool as it is now")
    return _parsed(data, path)


def _parsed(data: bytes, path: Path) -> Pool:
    cure = "make it anew with `degrade harvest`"
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_BYTES:
                raise IntegrityError(path, f"unpacks to more than {MAX_BYTES:,} bytes", cure)
        with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
            card = json.loads(arrays["card"].tobytes())
            kernels = arrays["kernels"] if "kernels" in arrays else np.zeros((0, 1, 1), np.float32)
            noise = arrays["noise"] if "noise" in arrays else np.zeros((0, 1, 1, 3), np.int16)
    except (ValueError, KeyError, OSError, zipfile.BadZipFile, RecursionError):
        raise IntegrityError(path, "not a readable pool", cure) from None
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        raise IntegrityError(path, "not a pool of degrade", cure)
    if card.get("format_version") != FORMAT_VERSION:
        raise IntegrityError(path, f"format version {card.get('format_version')} is not known", "update degrade")
    problem = _problem(kernels, noise)
    if problem:
        raise IntegrityError(path, problem, cure)
    return Pool(kernels, noise, card)


def _problem(kernels: NDArray[Any], noise: NDArray[Any]) -> str | None:
    if kernels.dtype != np.float32 or kernels.ndim != 3 or kernels.shape[1] != kernels.shape[2]:
        return f"kernels: expected float32 (N, k, k), got {kernels.dtype} {kernels.shape}"
    if kernels.shape[1] % 2 == 0 or not np.isfinite(kernels).all():
        return "kernels: expected an odd size and finite values"
    if len(kernels) and np.abs(kernels.sum((1, 2), dtype=np.float64) - 1).max() > 1e-3:
        return "kernels: expected each to sum to 1"
    if noise.dtype != np.int16 or noise.ndim != 4 or noise.shape[3] != 3 or noise.shape[1] != noise.shape[2]:
        return f"noise: expected int16 (P, p, p, 3), got {noise.dtype} {noise.shape}"
    return None if len(kernels) or len(noise) else "holds neither kernels nor noise"
