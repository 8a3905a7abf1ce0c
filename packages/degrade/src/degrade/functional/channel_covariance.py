"""Random covariances of the three channels of a noise, from plain floats: +, -, *, / and sqrt alone.

Source: BSRGAN (Zhang et al. 2021), section 3.3 and its code: the covariance is |L**2 * U.T D U|, absolute values entry
by entry, with D = diag of three uniform numbers and U the left singular vectors of a 3 x 3 matrix of uniform numbers.
Departs from it: BSRGAN's code takes the top of its level range for L, whatever level it drew; L is left to the caller.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

Matrix = tuple[tuple[float, float, float], ...]

_SWEEPS = 5  # of Jacobi's method, which converges quadratically: double precision is reached


def random_mixing(variances: Sequence[float], entries: Sequence[float]) -> Matrix:
    """Lower triangular M with `M @ M.T == |U.T D U|`: independent normal numbers times M have that covariance.

    Args:
        variances: three uniform numbers in [0, 1), the diagonal of D.
        entries: nine, the matrix whose left singular vectors are the columns of U, row by row.
    """
    rotation = _left_singular_vectors([list(entries[3 * i : 3 * i + 3]) for i in range(3)])
    columns = [[rotation[k][i] for k in range(3)] for i in range(3)]
    weighted = [[variances[k] * column[k] for k in range(3)] for column in columns]
    return cholesky([[abs(_dot(weighted[i], columns[j])) for j in range(3)] for i in range(3)])


def cholesky(covariance: Sequence[Sequence[float]]) -> Matrix:
    """Lower triangular M with `M @ M.T == covariance`, 3 x 3 and positive semidefinite.

    Entrywise absolute values of a semidefinite matrix are semidefinite up to size 3; what rounding takes below 0 is 0.
    """
    rows = [[0.0] * 3 for _ in range(3)]
    for i in range(3):
        for j in range(i + 1):
            rest = covariance[i][j] - _dot(rows[i], rows[j])  # entries from column j on are still 0
            if i == j:
                rows[i][i] = sqrt(max(rest, 0.0))
            else:
                rows[i][j] = rest / rows[j][j] if rows[j][j] > 0 else 0.0
    return tuple((row[0], row[1], row[2]) for row in rows)


def _left_singular_vectors(matrix: list[list[float]]) -> list[list[float]]:
    """Orthonormal columns, largest singular value first: the eigenvectors of A A.T by Jacobi rotations."""
    square = [[_dot(a, b) for b in matrix] for a in matrix]
    vectors = [[float(i == j) for j in range(3)] for i in range(3)]
    for _ in range(_SWEEPS):
        for p, q in ((0, 1), (0, 2), (1, 2)):
            if square[p][q] == 0.0:
                continue
            ratio = (square[q][q] - square[p][p]) / (2.0 * square[p][q])
            tangent = (1.0 if ratio >= 0 else -1.0) / (abs(ratio) + sqrt(ratio * ratio + 1.0))
            cosine = 1.0 / sqrt(tangent * tangent + 1.0)
            sine = tangent * cosine
            for k in range(3):  # columns, then rows
                square[k][p], square[k][q] = _turned(square[k][p], square[k][q], cosine, sine)
                vectors[k][p], vectors[k][q] = _turned(vectors[k][p], vectors[k][q], cosine, sine)
            for k in range(3):
                square[p][k], square[q][k] = _turned(square[p][k], square[q][k], cosine, sine)
    order = sorted(range(3), key=lambda column: -square[column][column])
    return [[vectors[row][column] for column in order] for row in range(3)]


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]  # `sum` adds in another way from Python 3.12 on


def _turned(a: float, b: float, cosine: float, sine: float) -> tuple[float, float]:
    return cosine * a - sine * b, sine * a + cosine * b
