"""NIQE: how far a picture's statistics lie from those of undistorted photographs; no reference is needed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from degrade.functional.resample import AxisMap, apply_axes, imresize
from srzoo.errors import ModelFileError, WeightsMissingError

_BLOCK = 96  # pixels, of the first of two scales
_SIDE, _SIGMA = 7, 7 / 6  # pixels, of the Gaussian window
_FEATURES = 36
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))  # y, x
_FILE = "niqe_pris_params.npz"

Plane = NDArray[np.float64]


@dataclass(frozen=True)
class Pristine:
    """The Gaussian that undistorted photographs make: `mean` (36,), `covariance` (36, 36)."""

    mean: NDArray[np.float64]
    covariance: NDArray[np.float64]


def load_pristine(path: Path | None = None) -> Pristine:
    """The parameters in an .npz (`mu_pris_param`, `cov_pris_param`); None: those of the installed package `basicsr`.

    Raises:
        WeightsMissingError: no such file, or no such package.
        ModelFileError: damaged, or of another kind.
    """
    file = path or _installed()
    if file is None:
        raise WeightsMissingError("NIQE", "no parameters on this machine", f"give BasicSR's {_FILE}")
    if not file.is_file():
        raise WeightsMissingError(file, "no such file", "check the path given for NIQE's parameters")
    try:
        with np.load(file, allow_pickle=False) as table:
            mean = np.asarray(table["mu_pris_param"], np.float64).reshape(-1)
            covariance = np.asarray(table["cov_pris_param"], np.float64)
    except Exception as error:  # zip files fail in many ways
        raise ModelFileError(
            file, f"not NIQE's parameters ({type(error).__name__})", f"give BasicSR's {_FILE}"
        ) from None
    if mean.shape != (_FEATURES,) or covariance.shape != (_FEATURES, _FEATURES):
        problem = f"shapes {mean.shape} and {covariance.shape}, not (36,) and (36, 36)"
        raise ModelFileError(file, problem, f"give BasicSR's {_FILE}")
    return Pristine(mean, covariance)


def niqe(plane: Plane, pristine: Pristine) -> float:
    """The distance of a picture's luma from undistorted photographs; smaller is better, photographs have 2 to 5.

    Args:
        plane: (H, W, 1), luma 16..235 (`protocol.luma`), rounded here. Whole blocks of 96 x 96 from the top left count.

    Raises:
        ValueError: not one channel, or less than one block.

    Source: Mittal et al. 2013, "Making a completely blind image quality analyzer", as BasicSR computes it: all blocks,
    sharp or not. MATLAB's built-in function gives other values.
    """
    if plane.ndim != 3 or plane.shape[2] != 1 or min(plane.shape[:2]) < _BLOCK:
        raise ValueError(f"expected (H, W, 1) of at least {_BLOCK} x {_BLOCK}, got shape {plane.shape}")
    height, width = (side // _BLOCK * _BLOCK for side in plane.shape[:2])
    image = np.round(plane[:height, :width].astype(np.float64))
    half = imresize(image, height // 2, width // 2)
    per_scale = [
        np.array([_features(block) for block in _blocks(_normalised(scaled), side)])
        for scaled, side in ((image, _BLOCK), (half, _BLOCK // 2))
    ]
    features = np.concatenate(per_scale, axis=1)  # (blocks, 36)
    whole = features[~np.isnan(features).any(axis=1)]  # a flat block has none
    covariance = np.cov(whole, rowvar=False) if len(whole) > 1 else np.full((_FEATURES, _FEATURES), np.nan)
    difference = pristine.mean - np.nanmean(features, axis=0)
    inverse = np.linalg.pinv((pristine.covariance + covariance) / 2)
    return float(np.sqrt(difference @ inverse @ difference))


def _normalised(image: Plane) -> Plane:
    """(H, W): `image` less the local mean, over the local deviation plus 1 grey level; edges repeated."""
    taps = np.exp(-((np.arange(_SIDE) - _SIDE // 2) ** 2) / (2 * _SIGMA**2))
    taps /= taps.sum()
    rows, columns = (
        AxisMap(np.arange(length) - _SIDE // 2, np.tile(taps, (length, 1)), length) for length in image.shape[:2]
    )
    moments = apply_axes(np.concatenate([image, image**2], 2), rows, columns, edge="edge")  # (H, W, 2)
    # float32 makes flat areas exactly 0 again: the signs of rounding errors would be counted as left and right.
    mean, power = np.moveaxis(moments.astype(np.float32), 2, 0)
    deviation = np.sqrt(np.abs(power - mean**2))
    return (image[..., 0] - mean) / (deviation + 1)


def _blocks(image: Plane, side: int) -> Iterator[Plane]:
    for y in range(0, image.shape[0], side):
        for x in range(0, image.shape[1], side):
            yield image[y : y + side, x : x + side]


def _features(block: Plane) -> list[float]:
    """18: shape and mean width of the block, and shape, mean and widths of its product with each neighbour."""
    shape, left, right = _asymmetric_gaussian(block)
    features = [shape, (left + right) / 2]
    for shift in _NEIGHBOURS:
        shape, left, right = _asymmetric_gaussian(block * np.roll(block, shift, axis=(0, 1)))
        mean = (right - left) * math.gamma(2 / shape) / math.gamma(1 / shape)
        features += [shape, mean, left, right]
    return features


def _asymmetric_gaussian(values: Plane) -> tuple[float, float, float]:
    """Shape, left and right width of the asymmetric generalised Gaussian with the moments of `values`.

    Source: Lasmar et al. 2009, "Multiscale skewed heavy tailed model".
    """
    negative, positive = values[values < 0], values[values > 0]
    power = np.mean(values**2)
    if not negative.size or not positive.size:
        return math.nan, math.nan, math.nan
    left, right = math.sqrt(np.mean(negative**2)), math.sqrt(np.mean(positive**2))
    skew = left / right
    ratio = np.mean(np.abs(values)) ** 2 / power * (skew**3 + 1) * (skew + 1) / (skew**2 + 1) ** 2
    shapes, ratios = _ratios()
    shape = float(shapes[np.argmin((ratios - ratio) ** 2)])
    width = math.sqrt(math.gamma(1 / shape) / math.gamma(3 / shape))
    return shape, left * width, right * width


@lru_cache(maxsize=1)
def _ratios() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shapes 0.2 .. 10, and squared mean size over power of the Gaussian that has each."""
    shapes = np.arange(0.2, 10.001, 0.001)
    log = np.vectorize(math.lgamma)
    return shapes, np.exp(2 * log(2 / shapes) - log(1 / shapes) - log(3 / shapes))


def _installed() -> Path | None:
    package = find_spec("basicsr")
    places = list(package.submodule_search_locations or ()) if package else []
    return next((file for place in places if (file := Path(place, "metrics", _FILE)).is_file()), None)
