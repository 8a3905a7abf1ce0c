"""NIQE against the published figure, SciPy's Gaussians, and what must not change it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter
from scipy.stats import gennorm

from srzoo.errors import ModelFileError, WeightsMissingError
from srzoo.metrics import niqe as module
from srzoo.metrics.niqe import Pristine, load_pristine, niqe
from srzoo.metrics.protocol import luma


@pytest.fixture(scope="module")
def pristine(sr_data: Path) -> Pristine:
    return load_pristine(sr_data / "weights" / "niqe_pris_params.npz")


def baboon(sr_data: Path) -> np.ndarray:
    return luma(np.asarray(Image.open(sr_data / "test" / "Set14" / "x4" / "HR" / "img_001.png"))[:480, :492])


def test_baboon_has_basicsrs_published_figure(sr_data: Path, pristine: Pristine) -> None:
    assert niqe(baboon(sr_data), pristine) == pytest.approx(5.7296, abs=5.1e-5)


def test_a_spoiled_photograph_is_worse_and_incomplete_blocks_are_left_out(sr_data: Path, pristine: Pristine) -> None:
    plane = baboon(sr_data)
    clean = niqe(plane, pristine)
    assert clean == niqe(plane[:, :480], pristine)
    noise = np.random.default_rng(0).normal(0, 20, plane.shape)
    for spoiled in (gaussian_filter(plane, (2, 2, 0)), (plane + noise).clip(16, 235)):
        assert niqe(spoiled, pristine) > clean + 1


@pytest.mark.parametrize("shape", [0.7, 1.5, 2.0, 4.0])
def test_shape_and_widths_of_a_sample_are_found(shape: float) -> None:
    values = np.asarray(gennorm.rvs(shape, size=(400, 400), random_state=np.random.default_rng(1)))
    found = module._asymmetric_gaussian(values)
    assert found == pytest.approx((shape, 1, 1), rel=0.05)
    _, left, right = module._asymmetric_gaussian(np.where(values < 0, values / 2, values))
    assert left / right == pytest.approx(0.5, rel=0.02)


def test_local_normalisation_is_a_gaussians_with_repeated_edges() -> None:
    image = np.random.default_rng(2).integers(0, 256, (20, 17, 1)).astype(float)
    settings = {"sigma": 7 / 6, "truncate": 3 / (7 / 6), "mode": "nearest"}
    mean = gaussian_filter(image[..., 0], **settings)
    deviation = np.sqrt(gaussian_filter(image[..., 0] ** 2, **settings) - mean**2)
    np.testing.assert_allclose(module._normalised(image), (image[..., 0] - mean) / (deviation + 1), atol=1e-4)


def test_a_flat_area_is_exactly_zero() -> None:
    assert not module._normalised(np.full((12, 12, 1), 235.0)).any()


def test_missing_and_foreign_parameters_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: None)
    with pytest.raises(WeightsMissingError, match=r"no parameters on this machine - give BasicSR's niqe_pris_params"):
        load_pristine()
    with pytest.raises(WeightsMissingError, match=r"no\.npz: no such file"):
        load_pristine(tmp_path / "no.npz")
    np.savez(tmp_path / "other.npz", mu=np.zeros(3))
    np.savez(tmp_path / "small.npz", mu_pris_param=np.zeros((1, 18)), cov_pris_param=np.zeros((18, 18)))
    np.savez(tmp_path / "pickled.npz", mu_pris_param=np.array([{}], object), cov_pris_param=np.zeros((36, 36)))
    (tmp_path / "text.npz").write_text("<html>")
    for name, problem in {
        "other.npz": "KeyError",
        "small.npz": r"shapes \(18,\) and \(18, 18\)",
        "pickled.npz": "ValueError",
        "text.npz": "ValueError",
    }.items():
        with pytest.raises(ModelFileError, match=f"{name}: .*{problem}"):
            load_pristine(tmp_path / name)


def test_less_than_a_block_is_refused() -> None:
    with pytest.raises(ValueError, match=r"of at least 96 x 96, got shape \(95, 200, 1\)"):
        niqe(np.zeros((95, 200, 1)), Pristine(np.zeros(36), np.eye(36)))
