"""Random covariances against SciPy's singular vectors and NumPy's Cholesky factor."""

from __future__ import annotations

import numpy as np
from scipy import linalg

from degrade.functional.channel_covariance import cholesky, random_mixing


def test_the_covariance_is_bsrgan_s_formula() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        variances, entries = rng.random(3), rng.random((3, 3))
        rotation = linalg.orth(entries)
        expected = np.abs(rotation.T @ np.diag(variances) @ rotation)
        mixing = np.array(random_mixing(variances.tolist(), entries.ravel().tolist()))
        np.testing.assert_allclose(mixing @ mixing.T, expected, atol=1e-10)  # near-equal singular values turn freely
        assert (np.triu(mixing, 1) == 0).all()


def test_cholesky_is_numpy_s() -> None:
    factor = np.random.default_rng(1).random((3, 3))
    covariance = factor @ factor.T
    np.testing.assert_allclose(cholesky(covariance.tolist()), np.linalg.cholesky(covariance), atol=1e-12)


def test_semidefinite_matrices_are_taken_too() -> None:
    ones = np.ones((3, 3))
    mixing = np.array(cholesky(ones.tolist()))
    np.testing.assert_allclose(mixing @ mixing.T, ones, atol=1e-12)
    np.testing.assert_array_equal(cholesky(np.zeros((3, 3)).tolist()), np.zeros((3, 3)))
