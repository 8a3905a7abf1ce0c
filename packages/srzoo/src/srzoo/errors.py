"""What can go wrong in training and inference; the same one line and exit codes as in `degrade.errors`."""

from __future__ import annotations

from degrade.errors import DegradeError, ImageError, IntegrityError, ResourceError, UnsafeFileError, UsageError

__all__ = [
    "DivergedError",
    "ImageError",
    "IntegrityError",
    "ModelFileError",
    "PresetError",
    "ResourceError",
    "SrzooError",
    "UnsafeFileError",
    "UsageError",
    "WeightsMissingError",
]


class SrzooError(DegradeError):
    """An expected failure of this package."""


class PresetError(SrzooError):
    """A preset that does not say what it must, or a run that was started with another one."""

    exit_code = 2


class WeightsMissingError(SrzooError):
    """Pretrained features (VGG19, LPIPS) that are not on this machine."""

    exit_code = 2


class ModelFileError(SrzooError):
    """A model file that is damaged, of an unknown kind, or not safe to load."""

    exit_code = 4


class DivergedError(SrzooError):
    """A loss or gradient that is not finite; no update was applied."""

    exit_code = 6
