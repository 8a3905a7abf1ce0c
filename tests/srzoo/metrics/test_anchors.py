"""Every bicubic figure of the reference (section 4.2) for Set5 and Set14, and the tables of papers they explain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from degrade.functional.resample import imresize_uint8
from srzoo.metrics import SSIM_FORMS
from srzoo.metrics.protocol import Plane, Protocol, compared, published_bicubic
from srzoo.metrics.psnr import psnr

Pixels = NDArray[np.uint8]

# PSNR and SSIM, to the last digit printed. `rounded` is the reference's protocol B, `network` its A.
FIGURES: dict[tuple[str, int, Protocol], tuple[float, float]] = {
    ("Set5", 2, "published"): (33.6615, 0.929884),
    ("Set5", 3, "published"): (30.3924, 0.868215),
    ("Set5", 4, "published"): (28.4211, 0.810402),
    ("Set14", 2, "published"): (30.2374, 0.868797),
    ("Set14", 3, "published"): (27.5457, 0.774177),
    ("Set14", 4, "published"): (26.0043, 0.702732),
    ("Set5", 2, "network"): (33.6734, 0.930287),
    ("Set5", 3, "network"): (30.4033, 0.868906),
    ("Set5", 4, "network"): (28.4290, 0.811135),
    ("Set14", 2, "network"): (30.3246, 0.869852),
    ("Set14", 3, "network"): (27.6311, 0.775880),
    ("Set14", 4, "network"): (26.0884, 0.704799),
    ("Set5", 2, "rounded"): (33.6397, 0.929216),
    ("Set5", 3, "rounded"): (30.3850, 0.867794),
    ("Set5", 4, "rounded"): (28.4164, 0.810083),
    ("Set14", 2, "rounded"): (30.3122, 0.869066),
    ("Set14", 3, "rounded"): (27.6244, 0.775112),
    ("Set14", 4, "rounded"): (26.0844, 0.704100),
    ("Set5", 4, "rgb"): (26.6921, 0.773087),
    ("Set14", 4, "rgb"): (24.4616, 0.663740),
}
# The bicubic row of VDSR, RCAN and SRDGAN.
PRINTED = {
    ("Set5", 2): (33.66, 0.9299),
    ("Set5", 3): (30.39, 0.8682),
    ("Set5", 4): (28.42, 0.8104),
    ("Set14", 2): (30.24, 0.8688),
    ("Set14", 3): (27.55, 0.7742),
    ("Set14", 4): (26.00, 0.7027),
}
SET5: dict[tuple[int, Protocol], list[float]] = {  # baby, bird, butterfly, head, woman
    (4, "published"): [31.7770, 30.1788, 22.0975, 31.5899, 26.4624],
    (4, "network"): [31.7842, 30.1815, 22.0996, 31.6133, 26.4665],
    (3, "published"): [33.9104, 32.5733, 24.0365, 32.8793, 28.5628],
    (2, "published"): [37.0661, 36.8060, 27.4332, 34.8581, 32.1440],
}


def truths(folder: Path, name: str, scale: int) -> Iterator[Pixels]:
    """HR cropped to a multiple of `scale`; x3 has no files of its own, and is cut from those of x2."""
    for path in sorted((folder / "test" / name / f"x{2 if scale == 3 else scale}" / "HR").iterdir()):
        pixels = np.asarray(Image.open(path))
        pixels = pixels[..., None] if pixels.ndim == 2 else pixels
        height, width = (side // scale * scale for side in pixels.shape[:2])
        yield np.ascontiguousarray(pixels[:height, :width])


def bicubic(hr: Pixels, scale: int, protocol: Protocol) -> tuple[Plane, Plane]:
    if protocol == "published":
        return published_bicubic(hr, scale)
    height, width = hr.shape[:2]
    return compared(
        protocol, imresize_uint8(imresize_uint8(hr, height // scale, width // scale), height, width), hr, scale
    )


def means(folder: Path, name: str, scale: int, protocol: Protocol, form: str = "gaussian") -> NDArray[np.float64]:
    pairs = (bicubic(hr, scale, protocol) for hr in truths(folder, name, scale))
    return np.mean([(psnr(*pair), SSIM_FORMS[form](*pair)) for pair in pairs], axis=0)


@pytest.mark.parametrize(
    "case", [pytest.param(case, marks=[pytest.mark.slow] if case[0] == "Set14" else []) for case in FIGURES]
)
def test_bicubic_gives_every_figure_to_its_last_digit(sr_data: Path, case: tuple[str, int, Protocol]) -> None:
    found = means(sr_data, *case)
    assert found[0] == pytest.approx(FIGURES[case][0], abs=5.1e-5)
    assert found[1] == pytest.approx(FIGURES[case][1], abs=5.1e-7)


@pytest.mark.parametrize(("case", "printed"), PRINTED.items())
def test_these_figures_are_the_printed_ones(case: tuple[str, int], printed: tuple[float, float]) -> None:
    own = FIGURES[(*case, "published")]
    assert (round(own[0], 2), round(own[1], 4)) == printed


@pytest.mark.parametrize("case", SET5)
def test_every_picture_of_set5(sr_data: Path, case: tuple[int, Protocol]) -> None:
    scale, protocol = case
    found = [psnr(*bicubic(hr, scale, protocol)) for hr in truths(sr_data, "Set5", scale)]
    assert found == pytest.approx(SET5[case], abs=5.1e-5)


def test_scikit_images_mistaken_range_inflates_as_dmls_tables_do(sr_data: Path) -> None:
    assert means(sr_data, "Set5", 2, "network", "skimage_float2")[1] == pytest.approx(0.9649, abs=5e-4)
    assert means(sr_data, "Set5", 4, "network", "skimage_float2")[1] == pytest.approx(0.8918, abs=5e-4)


@pytest.mark.parametrize(("name", "printed"), [("Set5", 0.8211), pytest.param("Set14", 0.7486, marks=pytest.mark.slow)])
def test_daalas_ssim_gives_the_bicubic_figures_of_srgans_paper(sr_data: Path, name: str, printed: float) -> None:
    assert means(sr_data, name, 4, "network", "daala")[1] == pytest.approx(printed, abs=1.1e-3)
