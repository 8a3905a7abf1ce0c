"""What a recipe may say. `OPS` names every op, `DRAWS` every draw that a trace can hold."""

from degrade.ops.blur import GaussianBlur, GaussianBlurDraw
from degrade.ops.choice import OneOf
from degrade.ops.noise import (
    GaussianNoise,
    GaussianNoiseDraw,
    PoissonGaussianNoise,
    PoissonGaussianNoiseDraw,
    PoissonNoise,
    PoissonNoiseDraw,
)
from degrade.ops.resize import Downsample, DownsampleDraw, MatlabDownsampleDraw, NearestDownsampleDraw

OPS = {
    "gaussian_blur": GaussianBlur,
    "downsample": Downsample,
    "gaussian_noise": GaussianNoise,
    "poisson_noise": PoissonNoise,
    "poisson_gaussian_noise": PoissonGaussianNoise,
    "one_of": OneOf,
}

DRAWS = {
    "gaussian_blur": GaussianBlurDraw,
    "downsample": DownsampleDraw,
    "nearest_downsample": NearestDownsampleDraw,
    "matlab_bicubic_downsample": MatlabDownsampleDraw,
    "gaussian_noise": GaussianNoiseDraw,
    "poisson_noise": PoissonNoiseDraw,
    "poisson_gaussian_noise": PoissonGaussianNoiseDraw,
}
