"""exp, log, sine and cosine of our own, bit-equal on every machine.

NumPy's and the C library's differ between processors in the last bits, so nothing on the way to a pixel
calls them. Everything here is plain IEEE arithmetic in a fixed order. Accuracy is stated per function.
"""

from __future__ import annotations

import math

import numpy as np

from degrade.jit import jit

_LN2_HIGH, _LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # ln 2 in two parts (Cody and Waite)
_INVERSE_LN2 = 1.4426950408889634
_INVERSE_FACTORIAL = np.array([1 / math.factorial(k) for k in range(14)])
_PI_HIGH, _PI_LOW = 3.141592653589793116, 1.224646799147353207e-16
_HALF_PI_32 = np.float32(np.pi / 2)
_LN2_32 = np.float32(0.69314718)


@jit
def exp(x):
    """e**x in float64; relative error below 4e-16 for |x| < 700, 0 below that range."""
    if x < -700.0:
        return 0.0
    n = np.floor(x * _INVERSE_LN2 + 0.5)
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    total = _INVERSE_FACTORIAL[13]
    for k in range(12, -1, -1):  # Taylor, |r| <= 0.347: the first term left out is 6e-18
        total = _INVERSE_FACTORIAL[k] + total * r
    return total * np.int64((np.int64(n) + 1023) << 52).view(np.float64)  # times 2**n


@jit
def log(x):
    """Natural logarithm in float64 for x > 0; relative error below 1e-14."""
    n = 0
    while x > 1.4142135623730951:
        x *= 0.5
        n += 1
    while x < 0.7071067811865476:
        x *= 2.0
        n -= 1
    s = (x - 1.0) / (x + 1.0)
    square, total = s * s, 0.0
    for k in range(23, 0, -2):  # 2 artanh(s), |s| <= 0.172: the first term left out is 2e-20
        total = total * square + 1.0 / k
    return n * _LN2_HIGH + (n * _LN2_LOW + 2.0 * s * total)


@jit
def sin_pi(x):
    """sin(pi x) in float64; absolute error below 5e-16, exactly 0 at whole numbers."""
    nearest = np.floor(x + 0.5)
    r = x - nearest  # exact, in [-0.5, 0.5]
    angle = r * _PI_HIGH + r * _PI_LOW
    square, total = angle * angle, 0.0
    for k in range(12, -1, -1):
        total = 1.0 - total * square / ((2 * k + 2) * (2 * k + 3))
    value = angle * total
    return -value if np.int64(nearest) % 2 else value


@jit
def cos_pi(x):
    """cos(pi x) in float64; absolute error below 5e-16 for |x| <= 2."""
    return sin_pi(x + 0.5)


@jit
def unit_normal_pair(word_a, word_b):
    """Two independent standard normal numbers (float32) from two words of 32 random bits.

    Box and Muller with 23 bits for the radius, so |value| < 5.77 (a chance of 8e-9 is cut off), and 23 for
    the angle; the error of logarithm, root and sine together is below 3e-7. Branch-free: loops vectorise.
    """
    u = (np.float32(word_a >> np.uint32(9)) + np.float32(0.5)) * np.float32(2.0**-23)
    radius = np.sqrt(np.float32(-2.0) * _log32(u))
    k = np.int32(word_b >> np.uint32(9))
    t = (np.float32(k & np.int32(0x1FFFFF)) + np.float32(0.5)) * np.float32(2.0**-21) - np.float32(0.5)
    angle = t * _HALF_PI_32  # within a quarter turn, [-pi/4, pi/4]; the quadrant follows from two more bits
    q = angle * angle
    sine = angle * (
        np.float32(1.0)
        + q
        * (np.float32(-1 / 6) + q * (np.float32(1 / 120) + q * (np.float32(-1 / 5040) + q * np.float32(1 / 362880))))
    )
    cosine = np.float32(1.0) + q * (
        np.float32(-1 / 2) + q * (np.float32(1 / 24) + q * (np.float32(-1 / 720) + q * np.float32(1 / 40320)))
    )
    quadrant = k >> np.int32(21)
    odd = quadrant & np.int32(1)
    first = sine if odd else cosine
    second = cosine if odd else sine
    sign = np.float32(1.0) - np.float32(quadrant & np.int32(2))
    return radius * first * sign, radius * second * sign


@jit
def _log32(u):
    """Natural logarithm of a normal float32 in (0, 1]; absolute error below 3e-7."""
    bits = np.float32(u).view(np.int32)
    shifted = bits - np.int32(0x3F3504F3)  # sqrt(1/2): the mantissa lands in [sqrt(1/2), sqrt(2))
    exponent = shifted >> np.int32(23)
    mantissa = np.int32(bits - np.int32(exponent << np.int32(23))).view(np.float32)
    s = (mantissa - np.float32(1.0)) / (mantissa + np.float32(1.0))
    q = s * s
    series = np.float32(1 / 3) + q * (np.float32(1 / 5) + q * (np.float32(1 / 7) + q * np.float32(1 / 9)))
    return np.float32(exponent) * _LN2_32 + np.float32(2.0) * (s + s * q * series)


@jit
def power(x, y):
    """x**y in float64 for x >= 0, infinite above 1e304; relative error below 4e-16 + |y ln x| * 2e-16. 0**0 is 1."""
    if x == 0.0 or y == 0.0:
        return 1.0 if y == 0.0 else 0.0
    exponent = y * log(x)
    return np.inf if exponent > 700.0 else exp(exponent)


@jit
def asin(x):
    """The angle in [-pi/2, pi/2] whose sine is `x`, |x| <= 1, in float64; absolute error below 1e-15 for |x| < 0.9.

    Towards 1 the rounding of 1 - x**2 counts: below 2e-8 at the ends.
    """
    cosine = np.sqrt(max(0.0, (1.0 - x) * (1.0 + x)))
    return 2.0 * _atan_of_unit(x / (1.0 + cosine))


@jit
def _atan_of_unit(t):
    """Arctangent for |t| <= 1: halved twice, then the series for |t| <= 0.2."""
    for _ in range(2):
        t = t / (1.0 + np.sqrt(1.0 + t * t))
    square, total = t * t, 0.0
    for k in range(27, 0, -2):  # the first term left out is 0.2**29 / 29
        total = 1.0 / k - total * square
    return 4.0 * t * total


@jit
def bessel_j1(x):
    """The Bessel function J1 in float64 for 0 <= x <= 100; absolute error below 2e-15.

    Its series up to 2; beyond, Miller's recurrence from far above down, scaled by J0 + 2 (J2 + J4 + ...) = 1.
    """
    if x <= 2.0:
        half, term, total = 0.5 * x, 0.5 * x, 0.0
        for k in range(1, 16):
            total += term
            term *= -half * half / (k * (k + 1))
        return total
    above, here, total, order = 0.0, 1e-30, 0.0, 2 * (np.int64(x) // 2) + 60
    for n in range(order, 1, -1):  # `here` is J_n up to a factor
        if n % 2 == 0:
            total += here
        above, here = here, (2.0 * n / x) * here - above
    return here / (2.0 * (total + (1.0 / x) * here) - above)
