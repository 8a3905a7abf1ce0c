"""What a recipe may say about Gaussian and photon noise, and what stands in the trace."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from degrade.functional import noise as fields
from degrade.functional.poisson import poisson
from degrade.ops import DRAWS, OPS
from degrade.ops.noise import GaussianNoise, PoissonNoise, ScaledPoissonNoise, SpeckleNoise
from degrade.ops.protocol import Context, Distribution, Options
from degrade.rng import Stream

SIGMA = Distribution(range=(2.0, 25.0))
ALL_MODES = Options(choice=("colour", "gray", "correlated"), weights=(0.4, 0.4, 0.2))
TWO_MODES = Options(choice=("colour", "gray"), weights=(0.6, 0.4))
NOISES = {
    "gaussian": GaussianNoise(SIGMA, ALL_MODES),
    "poisson": PoissonNoise(Distribution(log_range=(20.0, 1000.0)), TWO_MODES),
    "scaled_poisson": ScaledPoissonNoise(Distribution(range=(0.05, 3.0)), TWO_MODES),
    "speckle": SpeckleNoise(SIGMA, ALL_MODES),
}


def drawn(op: Any, patch: int = 0) -> Any:
    (draw,) = op.draw(Stream(5, patch).step("noise0"), "noise0")
    return draw


def stored(draw: Any) -> dict[str, Any]:
    """As the trace holds it, through JSON and back."""
    return json.loads(json.dumps({"op": draw.op, **{name: getattr(draw, name) for name in draw.__slots__}}))


def scene(height: int, width: int, channels: int) -> np.ndarray:
    return np.random.default_rng(0).random((height, width, channels), dtype=np.float32)


@pytest.mark.parametrize("kind", NOISES)
@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3]), st.integers(0, 1000))
def test_a_trace_gives_the_same_noise_again(kind: str, height: int, width: int, channels: int, patch: int) -> None:
    draw, image = drawn(NOISES[kind], patch), scene(height, width, channels)
    before = image.copy()
    made = draw.apply(image, Context((-3, 2)))
    entry = stored(draw)
    again = DRAWS[entry.pop("op")](**entry).apply(image, Context((-3, 2)))
    assert made.shape == image.shape
    assert made.dtype == np.float32
    assert made.flags.c_contiguous
    assert np.isfinite(made).all()
    np.testing.assert_array_equal(again, made)
    np.testing.assert_array_equal(image, before)


def test_plain_colour_noise_stands_in_the_trace_as_ever() -> None:
    assert set(stored(drawn(GaussianNoise(SIGMA)))) == {"op", "id", "sigma_8bit", "key"}
    assert set(stored(drawn(PoissonNoise(Distribution(50.0))))) == {"op", "id", "peak", "key"}
    coloured = GaussianNoise(SIGMA, ALL_MODES)
    plain = next(d for d in (drawn(coloured, i) for i in range(99)) if d.op == "gaussian_noise")
    assert plain == next(d for d in (drawn(GaussianNoise(SIGMA), i) for i in range(99)) if d.key == plain.key)


@pytest.mark.parametrize(
    ("kind", "chances"),
    [
        ("gaussian", {"gaussian_noise": 0.4, "gray_gaussian_noise": 0.4, "correlated_gaussian_noise": 0.2}),
        ("poisson", {"poisson_noise": 0.6, "gray_poisson_noise": 0.4}),
    ],
)
def test_modes_come_as_often_as_their_weights(kind: str, chances: dict[str, float]) -> None:
    names = [drawn(NOISES[kind], patch).op for patch in range(2000)]
    for name, chance in chances.items():
        error = 5 * np.sqrt(chance * (1 - chance) / len(names))
        assert abs(names.count(name) / len(names) - chance) < error


def test_the_draws_do_what_their_maths_says() -> None:
    image = scene(17, 12, 3)
    gaussian = drawn(GaussianNoise(Distribution(12.0)))
    expected = fields.add_gaussian(image, 12 / 255, int(gaussian.key, 16), (4, -2))
    np.testing.assert_array_equal(gaussian.apply(image, Context((4, -2))), expected)
    photon = drawn(PoissonNoise(Distribution(70.0)))
    np.testing.assert_array_equal(photon.apply(image, Context()), poisson(image, 70.0, int(photon.key, 16)))


def test_correlated_noise_takes_the_drawn_level() -> None:
    """E|U.T D U| has 1/2 on its diagonal, so the mean variance over many draws is sigma**2 / 2."""
    shares = []
    for patch in range(400):
        draw = drawn(GaussianNoise(SIGMA, Options("correlated")), patch)
        covariance = np.array(draw.mixing) @ np.array(draw.mixing).T
        shares.append(np.trace(covariance) / 3)
    assert np.mean(shares) == pytest.approx(0.5, abs=5 * np.std(shares) / 20)
    draw = drawn(GaussianNoise(Distribution(20.0), Options("correlated")))
    field = draw.apply(np.zeros((300, 300, 3), np.float32), Context()).astype(np.float64).reshape(-1, 3)
    covariance = (20 / 255) ** 2 * np.array(draw.mixing) @ np.array(draw.mixing).T
    np.testing.assert_allclose(np.cov(field.T), covariance, atol=5 * covariance.max() * np.sqrt(2 / len(field)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GaussianNoise(Distribution(-1.0)), "expected sigma_8bit at least 0, got values from -1 to -1"),
        (lambda: GaussianNoise(SIGMA, Options("color")), "expected mode to be one of colour, gray, correlated"),
        (lambda: PoissonNoise(Distribution(0.0)), "expected peak above 0"),
        (
            lambda: PoissonNoise(Distribution(9.0), Options("correlated")),
            "expected mode to be one of colour, gray, g",
        ),
        (lambda: ScaledPoissonNoise(Distribution(-0.5)), "expected scale at least 0"),
    ],
)
def test_what_cannot_be_meant_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_every_noise_is_in_the_table() -> None:
    assert {type(op) for op in NOISES.values()} <= set(OPS.values())
