"""Model files: one network as safetensors, with everything needed to build it again in the metadata.

The keys are the network's own, in the layouts that other tools recognise; nothing is guessed from shapes. A file that
says nothing of itself is a checkpoint of others (`foreign`).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from degrade.atomic import write_bytes
from degrade.errors import UsageError
from degrade.schema import build, nearest
from srzoo.checkpoint import foreign
from srzoo.degraders import DEGRADERS
from srzoo.errors import ModelFileError
from srzoo.networks import NETWORKS

FORMAT = "srzoo-model"
FORMAT_VERSION = 1
_SHOWN_KEYS = 3

Builders = Mapping[str, tuple[type[Any], type[nn.Module]]]  # name -> (config, class)


@dataclass(frozen=True)
class Model:
    """A network or a degrader read from a file, ready for inference on CPU in float32.

    Attributes:
        name: its key in `NETWORKS` or `DEGRADERS`, or spandrel's name for it.
        scale: how many times larger than LR its HR is, whichever of them it makes.
        overlap: pixels of its input around a pixel that can change it; None where it sees the whole picture.
        metadata: what the file says of itself, all text.
    """

    network: nn.Module
    name: str
    scale: int
    overlap: int | None
    metadata: Mapping[str, str]


def save_model(path: Path, network_name: str, network: nn.Module, metadata: Mapping[str, str]) -> None:
    """Write the weights of `network` and how to build it, atomically.

    Args:
        metadata: more facts, all text (`preset`, `steps`, `metrics`, `shards`); may not replace the built-in ones.
    """
    tensors = {key: value.detach().cpu().contiguous() for key, value in network.state_dict().items()}
    own = {
        "format": FORMAT,
        "format_version": str(FORMAT_VERSION),
        "network": network_name,
        "config": json.dumps(asdict(network.config), sort_keys=True),  # type: ignore[reportArgumentType]  a dataclass
        "scale": str(network.scale),
        "overlap": "whole" if (seen := _overlap(network)) is None else str(seen),
        "sha256": digest(tensors),
    }
    write_bytes(path, safetensors.torch.save(tensors, metadata={**metadata, **own}))


def _overlap(network: nn.Module) -> int | None:
    """A degrader's `receptive_field`, a network's `receptive_radius`."""
    seen = getattr(network, "receptive_field", getattr(network, "receptive_radius", None))
    return seen if isinstance(seen, int) else None


def digest(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and values: safetensors itself does not notice a flipped bit."""
    total = hashlib.sha256()
    for key in sorted(tensors):
        tensor = tensors[key].contiguous()
        total.update(f"{key} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        total.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return total.hexdigest()


def read_metadata(path: Path) -> dict[str, str]:
    """What a model file says of itself, without reading its weights.

    Raises:
        ModelFileError: missing, truncated, or not a model file of this package.
    """
    metadata = _open(path, with_tensors=False)[0]
    _check_format(path, metadata)
    return metadata


def load_model(path: Path, *, scale: int | None = None) -> Model:
    """The network in `path`, a model file or a public checkpoint: eval mode, float32, CPU.

    Args:
        scale: of public weights that serve every scale (VDSR, SRCNN); None: as the file's name says, else 4.

    Raises:
        ModelFileError: missing, truncated, unsafe or unknown, a degrader, or with keys, shapes or values that do not
            fit.
    """
    if path.suffix in foreign.PICKLES:
        return _foreign(path, foreign.read_pickle(path), scale)
    metadata, tensors = _open(path, with_tensors=True)
    if metadata.get("format") != FORMAT:
        return _foreign(path, tensors, scale)
    if (name := metadata.get("network")) in DEGRADERS:
        problem = f"holds {name}, a degrader: it makes LR"
        raise ModelFileError(path, problem, "give a network that enlarges; srzoo export-degrader takes this one")
    return _own(path, metadata, tensors, NETWORKS)


def load_degrader(path: Path) -> Model:
    """The degrader in `path`, a model file: eval mode, float32, CPU.

    Raises:
        ModelFileError: missing, truncated or unknown, no degrader, or with keys, shapes or values that do not fit.
    """
    metadata, tensors = _open(path, with_tensors=True)
    if (name := metadata.get("network")) in NETWORKS:
        raise ModelFileError(path, f"holds {name}, which makes SR", "give a degrader, such as `srzoo train dml` writes")
    return _own(path, metadata, tensors, DEGRADERS)


def _own(path: Path, metadata: Mapping[str, str], tensors: Mapping[str, Tensor], table: Builders) -> Model:
    """What a model file of this package holds, built by `table`."""
    _check_format(path, metadata)
    if digest(tensors) != metadata.get("sha256"):
        raise ModelFileError(path, "the weights are not those that were written", "copy or train it again")
    network = _built(path, metadata, table)
    _check_fit(path, network, tensors)
    network.load_state_dict(tensors)
    overlap = metadata.get("overlap", "")
    return Model(
        network=network.eval().requires_grad_(False),
        name=metadata["network"],
        scale=int(metadata["scale"]),
        overlap=int(overlap) if overlap.isdigit() else None,
        metadata=metadata,
    )


def _open(path: Path, *, with_tensors: bool) -> tuple[dict[str, str], dict[str, Tensor]]:
    if not path.is_file():
        raise ModelFileError(path, "no such model file", "check the path")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = dict(file.metadata() or {})
            tensors = {key: file.get_tensor(key) for key in file.keys()} if with_tensors else {}  # noqa: SIM118
    except OSError as error:
        raise ModelFileError(path, f"cannot be read: {error.strerror or error}", "check its permissions") from None
    except Exception as error:  # SafetensorError is not exported everywhere; a header of odd types raises others
        reason = " ".join(str(error).split())[:80]
        raise ModelFileError(path, f"not a whole safetensors file ({reason})", "copy or train it again") from None
    return metadata, tensors


def _check_format(path: Path, metadata: Mapping[str, str]) -> None:
    if metadata.get("format") != FORMAT:
        raise ModelFileError(path, "a safetensors file, but no model of srzoo", "give one that `srzoo train` wrote")
    version = metadata.get("format_version")
    if version != str(FORMAT_VERSION):
        raise ModelFileError(path, f"format version {version}, known is {FORMAT_VERSION}", "use a newer srzoo")


def _foreign(path: Path, content: object, scale: int | None) -> Model:
    tensors = foreign.named_tensors(path, content)
    found = foreign.recognise(path, tensors, scale)
    if found is None:
        name, network = foreign.load_through_spandrel(path, tensors)
        layout = f"{name}, through spandrel"
    else:
        name, layout = found.network, found.layout
        with torch.random.fork_rng(devices=[]):
            network = NETWORKS[name][1](found.config)
        _check_fit(path, network, found.tensors)
        network.load_state_dict(found.tensors)
    return Model(
        network=network.eval().requires_grad_(False),
        name=name,
        scale=int(network.scale),  # type: ignore[reportArgumentType]  an int
        overlap=network.receptive_radius,  # type: ignore[reportArgumentType]  an int or None
        metadata={"layout": layout},
    )


def _built(path: Path, metadata: Mapping[str, str], table: Builders) -> nn.Module:
    name = metadata.get("network", "")
    if name not in table:
        raise ModelFileError(path, f"unknown network '{name}'", nearest(name, table))
    config_class, network_class = table[name]
    try:
        config = build(config_class, json.loads(metadata.get("config", "")), origin=str(path))
    except (ValueError, UsageError) as error:
        raise ModelFileError(path, f"its config cannot be read ({error})", "copy or train it again") from None
    with torch.random.fork_rng(devices=[]):  # initialisation draws; the caller's generator stays as it was
        return network_class(config)


def _check_fit(path: Path, network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    expected = network.state_dict()
    odd = sorted(
        key
        for key in expected.keys() | tensors.keys()
        if key not in expected or key not in tensors or expected[key].shape != tensors[key].shape
    )
    if odd:
        shown = ", ".join(_difference(key, expected, tensors) for key in odd[:_SHOWN_KEYS])
        raise ModelFileError(path, f"{len(odd)} keys do not fit: {shown}", "it was written for another network")
    broken = [key for key, value in tensors.items() if not torch.isfinite(value).all()]
    if broken:
        raise ModelFileError(path, f"values that are not finite in {', '.join(broken[:_SHOWN_KEYS])}", "train it again")


def _difference(key: str, expected: Mapping[str, Tensor], tensors: Mapping[str, Tensor]) -> str:
    if key not in tensors:
        return f"{key} missing"
    if key not in expected:
        return f"{key} unknown"
    return f"{key} is {tuple(tensors[key].shape)}, not {tuple(expected[key].shape)}"
