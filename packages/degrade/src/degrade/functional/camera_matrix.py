"""From linear sRGB to the colours of a camera and back: 3 x 3 matrices of plain floats that keep white.

+, -, * and / alone, in a fixed order.
"""

from __future__ import annotations

from collections.abc import Sequence

Row = tuple[float, float, float]
Matrix = tuple[Row, Row, Row]

IDENTITY: Matrix = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0))

# Camera from XYZ under D65, from the cameras' DNG files (ColorMatrix2): the four of the Darmstadt Noise Dataset
# (Ploetz and Roth 2017), which Brooks et al. 2019 mix.
CAMERAS: dict[str, Matrix] = {
    "nexus_6p": ((1.0234, -0.2969, -0.2266), (-0.5625, 1.6328, -0.0469), (-0.0703, 0.2188, 0.6406)),
    "sony_a7r": ((0.4913, -0.0541, -0.0202), (-0.6130, 1.3513, 0.2906), (-0.1564, 0.2151, 0.7183)),
    "olympus_em10": ((0.8380, -0.2630, -0.0639), (-0.2887, 1.0725, 0.2496), (-0.0627, 0.1427, 0.5438)),
    "sony_rx100_iv": ((0.6596, -0.2079, -0.0562), (-0.4782, 1.3016, 0.1933), (-0.0970, 0.1581, 0.5181)),
}

_XYZ_FROM_SRGB: Matrix = (  # IEC 61966-2-1 primaries, D65
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)


def camera_from_srgb(weights: Sequence[float]) -> Matrix:
    """Camera colours from linear sRGB for the mean of `CAMERAS`, weighted; each row sums to 1, so white stays white.

    Args:
        weights: one for each camera, >= 0, one above 0; any sum.

    Source: Brooks et al. 2019, section 3.
    """
    total = 0.0
    mixed = [[0.0] * 3 for _ in range(3)]
    for weight, matrix in zip(weights, CAMERAS.values(), strict=True):
        total += weight
        for i in range(3):
            for j in range(3):
                mixed[i][j] += weight * matrix[i][j]
    rows = [_product([value / total for value in row], _XYZ_FROM_SRGB) for row in mixed]
    return _three([_white(row) for row in rows])


def inverse(matrix: Sequence[Sequence[float]]) -> Matrix:
    """The inverse, by cofactors."""
    (a, b, c), (d, e, f), (g, h, i) = matrix
    determinant = a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)
    cofactors = (
        (e * i - f * h, c * h - b * i, b * f - c * e),
        (f * g - d * i, a * i - c * g, c * d - a * f),
        (d * h - e * g, b * g - a * h, a * e - b * d),
    )
    return _three([(x / determinant, y / determinant, z / determinant) for x, y, z in cofactors])


def _product(row: Sequence[float], matrix: Matrix) -> Row:
    x, y, z = (row[0] * matrix[0][j] + row[1] * matrix[1][j] + row[2] * matrix[2][j] for j in range(3))
    return x, y, z


def _white(row: Row) -> Row:
    total = row[0] + row[1] + row[2]
    return row[0] / total, row[1] / total, row[2] / total


def _three(rows: Sequence[Row]) -> Matrix:
    return rows[0], rows[1], rows[2]
