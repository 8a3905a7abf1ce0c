"""Pretrained tensors: from a file somebody gives, or from the caches of timm and torch. Nothing is ever downloaded."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from srzoo.errors import ModelFileError

_HUB_FILES = ("model.safetensors", "pytorch_model.bin")


def read_tensors(file: Path, model: str) -> Mapping[str, Any]:
    """What `file` holds by name, out of a wrapping `state_dict` or `params`; `model` is said in what goes wrong.

    Raises:
        ModelFileError: unreadable, damaged, or more than plain tensors.
    """
    try:
        if file.suffix == ".safetensors":
            import safetensors.torch

            return safetensors.torch.load_file(file)
        table = torch.load(file, map_location="cpu", weights_only=True)
    except OSError as error:
        raise ModelFileError(file, f"cannot be read: {error.strerror or error}", "check its permissions") from None
    except Exception as error:  # pickles and zip files fail in many ways
        problem = f"not a whole file of plain tensors ({type(error).__name__})"
        raise ModelFileError(file, problem, "copy it again, or give another") from None
    for key in ("state_dict", "params"):
        if isinstance(table, Mapping) and isinstance(table.get(key), Mapping):
            table = table[key]
    if not isinstance(table, Mapping):
        raise ModelFileError(file, f"holds a {type(table).__name__}, not named tensors", f"give {model}'s state dict")
    return table


def find_cached(torch_files: str, repository: str | None = None) -> Path | None:
    """The file of weights in timm's cache (`repository` of the hub), else in torch's (`torch_files`, a pattern)."""
    if repository is not None:
        from huggingface_hub import try_to_load_from_cache  # imported here: it is slow, and mostly not needed

        for name in _HUB_FILES:
            found = try_to_load_from_cache(repository, name)
            if isinstance(found, str):
                return Path(found)
    return next(iter(sorted(Path(torch.hub.get_dir(), "checkpoints").glob(torch_files))), None)
