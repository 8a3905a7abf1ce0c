"""Files that a recipe uses: pools of measured kernels and of real noise. Known by SHA-256, opened once per process.

A recipe names a file; an op holds name and SHA-256 (`PoolFile`), a trace the SHA-256 alone. `register` tells this
process where a file lies, `pool` opens it.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from degrade.atomic import write_bytes
from degrade.errors import IntegrityError, UsageError

FORMAT = "degrade-pool"
FORMAT_VERSION = 1
MAX_BYTES = 1 << 30
SUFFIX = ".npz"

_places: dict[str, Path] = {}  # SHA-256: where this process found it


@dataclass(frozen=True)
class PoolFile:
    """A pool as a recipe names it, and the SHA-256 of the file that was found."""

    name: str = field(compare=False)  # the content counts, not what it is called
    sha256: str


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


def find(name: str, folder: Path | None = None) -> Path:
    """The file of pool `name`: `x.npz` beside the recipe (`folder`) or in the current folder; `x` comes with degrade.

    Raises:
        UsageError: there is none; says where it was looked for.
    """
    if not name.endswith(SUFFIX):
        packaged = Path(str(resources.files("degrade") / "pools")) / f"{name}{SUFFIX}"
        if packaged.is_file():
            return packaged
        raise UsageError(f"pool '{name}'", "does not come with degrade", "give a file: pool = 'mine.npz'")
    for candidate in ([] if folder is None else [folder / name]) + [Path(name)]:
        if candidate.is_file():
            return candidate
    where = "here" if folder is None else f"in {folder}"
    raise UsageError(name, f"no such pool {where}", "make one with `degrade harvest PHOTOS -o pool.npz`")


def register(path: Path) -> str:
    """Note where a pool lies; its SHA-256.

    Raises:
        UsageError: it cannot be read.
    """
    digest = hashlib.sha256(_read(path)).hexdigest()
    _places[digest] = path
    return digest


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
    path = _places.get(sha256)
    if path is None:
        cure = "give the file, or the recipe beside it"
        raise IntegrityError(f"pool {sha256[:16]}...", "it is not known where it lies", cure)
    data = _read(path)
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


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(path, f"larger than {MAX_BYTES:,} bytes", "keep fewer patches")
        return path.read_bytes()
    except OSError as error:
        raise UsageError(path, f"cannot be read: {error.strerror}", "check the path") from None
