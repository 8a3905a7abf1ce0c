"""Single steps as other programs write them: KAIR's and BasicSR's functions, OpenCV, SciPy, Pillow, albumentations.

Each draws its parameters itself where the program does, from the ranges of the recipe it belongs to. Images are
(H, W, 3) float32 in [0, 1], as those functions take them.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from peers.generic import Absent, checkout
from peers.pairs import search_path
from peers.real_esrgan import load

Step = Callable[[NDArray[np.float32]], Any]

SIZES = list(range(7, 22, 2))
KINDS = ["iso", "aniso", "generalized_iso", "generalized_aniso", "plateau_iso", "plateau_aniso"]
SHARES = [0.45, 0.25, 0.12, 0.03, 0.12, 0.03]


def prepare() -> dict[str, Step]:
    """All the steps there are on this machine, by `program: step`."""
    cv2.setNumThreads(1)
    found: dict[str, Step] = dict(_libraries())
    for part in (_kair, _basicsr, _albumentations):
        try:
            found |= part()
        except Absent as reason:
            print(f"left out: {reason}")
    return found


def _libraries() -> dict[str, Step]:
    random = np.random.default_rng(0)

    def gaussian(size: int) -> NDArray[np.float64]:
        y, x = np.mgrid[:size, :size] - size // 2
        a, b = random.uniform(0.2, 3.0, 2)
        turn = random.uniform(0, np.pi)
        u, v = np.cos(turn) * x + np.sin(turn) * y, np.cos(turn) * y - np.sin(turn) * x
        kernel = np.exp(-0.5 * ((u / a) ** 2 + (v / b) ** 2))
        return kernel / kernel.sum()

    def pixels(image: NDArray[np.float32]) -> NDArray[np.uint8]:
        return (image.clip(0, 1) * 255 + 0.5).astype(np.uint8)

    def through(format: str, **settings: Any) -> Step:
        def step(image: NDArray[np.float32]) -> Any:
            file = io.BytesIO()
            Image.fromarray(pixels(image)).save(file, format, **settings)
            return np.asarray(Image.open(file).convert("RGB")).astype(np.float32) / 255

        return step

    def jpeg(image: NDArray[np.float32]) -> Any:
        quality = int(random.integers(30, 96))
        data = cv2.imencode(".jpg", pixels(image)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].astype(np.float32) / 255

    def shrink(image: NDArray[np.float32]) -> Any:
        side = image.shape[0] // 4
        return cv2.resize(cv2.filter2D(image, -1, gaussian(21)), (side, side), interpolation=cv2.INTER_CUBIC)

    def resized(image: NDArray[np.float32]) -> Any:
        side = int(image.shape[0] * random.uniform(0.3, 1.4))
        return cv2.resize(image, (side, side), interpolation=cv2.INTER_CUBIC)

    return {
        "OpenCV: filter2D 21 x 21": lambda image: cv2.filter2D(image, -1, gaussian(21)),
        "OpenCV: filter2D 21 x 21, then resize to a quarter": shrink,
        "SciPy: correlate 21 x 21": lambda image: ndimage.correlate(image, gaussian(21)[..., None]),
        "OpenCV: medianBlur 5": lambda image: cv2.medianBlur(image, 5),
        "SciPy: median 5": lambda image: ndimage.median_filter(image, (5, 5, 1)),
        "OpenCV: resize, any size": resized,
        "OpenCV: JPEG": jpeg,
        "Pillow: JPEG": through("JPEG", quality=75),
        "Pillow: WebP, method 4": through("WEBP", quality=75, method=4),
        "NumPy: Gaussian noise": lambda image: image + random.normal(0, 0.05, image.shape),
        "NumPy: Poisson noise": lambda image: random.poisson(image * 100) / 100,
    }


def _kair() -> dict[str, Step]:
    folder = checkout("KAIR", "cszn/KAIR")
    with search_path(folder), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from utils import utils_blindsr as kair  # pyright: ignore[reportMissingImports]
    if not hasattr(kair.scipy, "finfo"):
        kair.scipy.finfo = np.finfo

    def quiet(function: Any, **settings: Any) -> Step:
        def step(image: NDArray[np.float32]) -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return function(image.copy(), **settings)

        return step

    return {
        "KAIR: add_blur": quiet(kair.add_blur, sf=4),
        "KAIR: add_Gaussian_noise": quiet(kair.add_Gaussian_noise),
        "KAIR: add_Poisson_noise": quiet(kair.add_Poisson_noise),
        "KAIR: add_speckle_noise": quiet(kair.add_speckle_noise),
        "KAIR: add_JPEG_noise": quiet(kair.add_JPEG_noise),
        "KAIR: add_sharpening": quiet(kair.add_sharpening),
    }


def _basicsr() -> dict[str, Step]:
    theirs = load(checkout("BasicSR", "XPixelGroup/BasicSR") / "basicsr/data/degradations.py")
    random = np.random.default_rng(0)

    def blur(image: NDArray[np.float32]) -> Any:
        size = int(random.choice(SIZES))
        kernel = theirs.random_mixed_kernels(KINDS, SHARES, size, (0.2, 3), (0.2, 3), (-np.pi, np.pi), (0.5, 4), (1, 2))
        return cv2.filter2D(image, -1, kernel)

    def sinc(image: NDArray[np.float32]) -> Any:
        kernel = theirs.circular_lowpass_kernel(random.uniform(np.pi / 3, np.pi), int(random.choice(SIZES)))
        return cv2.filter2D(image, -1, kernel)

    return {
        "BasicSR: random_mixed_kernels": blur,
        "BasicSR: circular_lowpass_kernel": sinc,
        "BasicSR: random_add_gaussian_noise": lambda image: theirs.random_add_gaussian_noise(image, (1, 30), 0.4),
        "BasicSR: random_add_poisson_noise": lambda image: theirs.random_add_poisson_noise(image, (0.05, 3), 0.4),
        "BasicSR: add_jpg_compression": lambda image: theirs.add_jpg_compression(image, int(random.integers(30, 96))),
    }


def _albumentations() -> dict[str, Step]:
    try:
        import albumentations
    except ImportError:
        raise Absent("albumentations: pip install it") from None
    transforms = {
        "MotionBlur": albumentations.MotionBlur((3, 21), p=1),
        "Defocus": albumentations.Defocus((1, 5), p=1),
        "ISONoise": albumentations.ISONoise(p=1),
        "SaltAndPepper": albumentations.SaltAndPepper(p=1),
        "ChromaticAberration": albumentations.ChromaticAberration(p=1),
        "Posterize": albumentations.Posterize(p=1),
        "UnsharpMask": albumentations.UnsharpMask(p=1),
    }

    def step(transform: Any) -> Step:
        is_8bit = type(transform).__name__ in {"ISONoise"}

        def apply(image: NDArray[np.float32]) -> Any:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                given = (image * 255).astype(np.uint8) if is_8bit else image
                return transform(image=given)["image"]

        return apply

    return {f"albumentations: {name}": step(transform) for name, transform in transforms.items()}
