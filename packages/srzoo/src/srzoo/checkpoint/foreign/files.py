"""The named tensors inside a checkpoint file, whatever they are wrapped in. No code in a file is ever run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from srzoo.checkpoint.foreign.pickled import NotDataError, read_as_data
from srzoo.errors import ModelFileError

PICKLES = frozenset({".pth", ".pt", ".ckpt", ".bin", ".pkl"})
_WRAPPERS = (  # the first one that is there; averaged weights before live ones
    "params_ema", "params-ema", "params", "state_dict", "model_state_dict", "model_g_state_dict", "model", "net",
)  # fmt: skip
_CURE = "save its state_dict() as .safetensors on a machine where you trust it"


def read_pickle(path: Path) -> object:
    """What `torch.save` wrote to `path`: plain containers and tensors; a module as its named tensors.

    Raises:
        ModelFileError: missing, damaged, or in need of code.
    """
    if not path.is_file():
        raise ModelFileError(path, "no such model file", "check the path")
    try:
        path.open("rb").close()
    except OSError as error:
        raise ModelFileError(path, f"cannot be read: {error.strerror or error}", "check its permissions") from None
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickles and zip files fail in many ways
        reason = error
    try:
        return read_as_data(path)
    except NotDataError as error:
        raise ModelFileError(path, str(error), _CURE) from None
    except Exception:
        problem = f"not a whole file of tensors ({type(reason).__name__})"
        raise ModelFileError(path, problem, "copy it again, or give another") from None


def named_tensors(path: Path, content: object) -> dict[str, Tensor]:
    """The network's tensors in `content` by key, float32 where they are fractions; `module.` is taken off.

    Raises:
        ModelFileError: no named tensors in it.
    """
    if not isinstance(content, Mapping):
        raise ModelFileError(path, f"holds a {type(content).__name__}, not named tensors", _CURE)
    for wrapper in _WRAPPERS:
        if isinstance(content.get(wrapper), Mapping):
            return named_tensors(path, content[wrapper])
    odd = [str(key) for key, value in content.items() if not isinstance(value, Tensor)]
    if odd or not content:
        problem = f"{', '.join(odd[:3])} hold no tensors" if odd else "holds nothing"
        raise ModelFileError(path, problem, "give the file of one network's weights")
    return without_prefix(
        {str(key): value.float() if value.is_floating_point() else value for key, value in content.items()}, "module."
    )


def without_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """`tensors` with `prefix` taken off, if every key has it."""
    if not all(key.startswith(prefix) for key in tensors):
        return dict(tensors)
    return {key.removeprefix(prefix): value for key, value in tensors.items()}
