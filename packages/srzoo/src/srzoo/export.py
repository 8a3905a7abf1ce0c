"""A trained degrader as one TorchScript file with its card, which `degrade` runs without this package.

`torch.jit` is named here alone (and asked by the degraders whether it is at work).
"""

from __future__ import annotations

import io
import json
import re
import tempfile
import tomllib
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from degrade.atomic import write_bytes
from degrade.card import Card, NoiseInput, write_degrader
from degrade.trust import Admitted, admit, trust
from srzoo.checkpoint import Model, load_degrader
from srzoo.degraders.layers import LumaOnly
from srzoo.errors import ModelFileError

SYSTEMS = {
    "basis_kernels": "DML",
    "cycle_generator": "CSR-GAN CycleGAN",
    "direct_kpn": "DirectKPN",
    "direct_net": "DirectNet",
    "dsgan": "DSGAN",
    "dual_input": "DDNSR",
    "h2l": "SRDGAN H2L",
}
"""Network -> the published system that it is of."""

TOLERANCE = 1e-6  # between the exported file and the network, intensities being [0, 1]

_BATCHES = (2, 4, 8, 16)
_SIDES = (64, 40)  # pixels of the random images, at least
_CALLS = 2  # TorchScript watches the first one and changes its code after it


@dataclass(frozen=True)
class Words:
    """What a card says that a run does not know; empty: the run's name, its preset's description, `not stated`."""

    name: str = ""
    description: str = ""
    licence: str = ""


def export_degrader(model_file: Path, out: Path, words: Words = Words(), *, overwrite: bool = False) -> Admitted:
    """Write the degrader in `model_file` to `out` and put it on the user's list of trusted files.

    The same model file and words give the same bytes, with one version of torch on one kind of machine.

    Raises:
        ModelFileError: no degrader; or what was made of it does not do what the network does.
        UsageError: `out` is there already and may not be overwritten.
        UnsafeFileError: the gate refuses it.
        ResourceError: no room or no permission.
    """
    model = load_degrader(model_file)
    network = _on_rgb(model)
    script = _scripted(network)
    card = _card(model, network, model_file, words, batch=_largest_batch(_loaded(script), network))
    data = _admitted(script, card)
    _check_equal(model_file, _loaded(data), network)
    write_bytes(out, data, overwrite=overwrite)
    return trust(out)


def load_exported(path: Path, device: torch.device) -> tuple[Card, Any]:
    """The card of the degrader file `path`, and its module on `device`: RGB and what the card says to RGB, in [0, 1].

    Raises:
        UsageError, IntegrityError: no file, or no degrader. UnsafeFileError: the gate refuses it, or it is not trusted.
    """
    admitted = admit(path)
    return admitted.card, _loaded(admitted.data).to(device).eval()


def _admitted(script: bytes, card: Card) -> bytes:
    """The whole file, once the gate has let it in."""
    with tempfile.TemporaryDirectory() as folder:
        draft = Path(folder, "degrader.pt")
        write_degrader(draft, script, card)
        return admit(draft, trusted=True).data


def _on_rgb(model: Model) -> Any:
    """The degrader as a recipe calls it: RGB in, RGB out."""
    degrader: Any = model.network
    return (LumaOnly(degrader) if degrader.colour == "y" else degrader).eval()


def _scripted(network: nn.Module) -> bytes:
    """What `torch.jit.save` makes of `network`, frozen."""
    file = io.BytesIO()
    with warnings.catch_warnings():
        _allow_torchscript()
        torch.jit.save(torch.jit.freeze(torch.jit.script(network)), file)  # type: ignore[reportPrivateImportUsage]  documented
    return _unnumbered(file.getvalue())


def _unnumbered(script: bytes) -> bytes:
    """`script` without the number that torch puts into the names of classes: how many it has made in this process."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(script)) as numbered, zipfile.ZipFile(file, "w") as written:
        for name in numbered.namelist():
            data = numbered.read(name)
            if name.endswith(("/data.pkl", ".py")):  # where the class is named: on a line, so lengths are free
                data = re.sub(rb"\.___torch_mangle_\d+", b"", data)
            written.writestr(zipfile.ZipInfo(re.sub(r"/___torch_mangle_\d+", "", name)), data)
    return file.getvalue()


def _loaded(data: bytes) -> Any:
    with warnings.catch_warnings():
        _allow_torchscript()
        return torch.jit.load(io.BytesIO(data), map_location="cpu")  # type: ignore[reportPrivateImportUsage]  documented


def _allow_torchscript() -> None:
    """Say nothing of its being deprecated: the card names the runtime, and another may follow."""
    warnings.filterwarnings("ignore", message="`torch.jit", category=FutureWarning)


def _inputs(network: Any, batch: int, side: int) -> list[Tensor]:
    """A random image, and what else the degrader takes; the same at every call."""
    generator = torch.Generator().manual_seed(0)
    side = -(-side // network.multiple) * network.multiple
    given = [torch.rand((batch, 3, side, side), generator=generator)]
    for one in network.inputs:
        if isinstance(one, NoiseInput):
            given.append(one.sigma * torch.randn((batch, one.channels, side, side), generator=generator))
        else:
            size = side // network.scale
            given.append(torch.rand((batch, 3, size, size), generator=generator))
    return given


def _largest_batch(script: Any, network: Any) -> int:
    """The largest batch tested that gives, picture by picture, the bits of batch 1, as all smaller ones do."""
    with torch.inference_mode():
        return min(_equal_up_to(script, _inputs(network, _BATCHES[-1], side)) for side in _SIDES)


def _equal_up_to(script: Any, given: list[Tensor]) -> int:
    alone = torch.cat([script(*(part[k : k + 1] for part in given)) for k in range(_BATCHES[-1])])
    largest = 1
    for batch in _BATCHES:
        together = [part[:batch] for part in given]
        if not all(torch.equal(script(*together), alone[:batch]) for _ in range(_CALLS)):
            break
        largest = batch
    return largest


def _check_equal(path: Path, script: Any, network: Any) -> None:
    """What is in the file gives what the network gives."""
    with torch.inference_mode():
        for side in _SIDES:
            given = _inputs(network, 1, side)
            wanted = network(*given)
            farthest = max(float((script(*given) - wanted).abs().max()) for _ in range(_CALLS))
            if not farthest <= TOLERANCE * max(1.0, float(wanted.abs().max())):
                problem = f"the exported file differs from it by {farthest:.1g}"
                raise ModelFileError(path, problem, "report it: this torch makes other code of this network")


def _card(model: Model, network: Any, model_file: Path, words: Words, *, batch: int) -> Card:
    metadata = model.metadata
    preset = tomllib.loads(metadata.get("preset", ""))
    stages = [preset, *preset.get("stages", ())]
    described = next((table["description"] for table in reversed(stages) if table.get("description")), "")
    run = model_file.resolve().parent.name
    zoom = int(metadata.get("zoom", "1"))
    return Card(
        name=words.name or (f"{run}-x{model.scale}" if model.scale > 1 else run),
        system=SYSTEMS[model.name],
        description=words.description or described,
        scale=model.scale,
        zoom=zoom if model.scale == 1 else 1,
        multiple=network.multiple,
        inputs=network.inputs,
        receptive_field=network.receptive_field,
        batch=batch,
        colour=network.colour,
        trained_on=tuple(json.loads(metadata.get("trained_on", "[]"))),
        preset=metadata.get("preset", ""),
        steps=int(metadata.get("steps", "0")),
        metrics=_metrics(metadata),
        licence=words.licence or "not stated",
    )


def _metrics(metadata: Mapping[str, str]) -> dict[str, float]:
    """The scores on held-out pairs, without the step they were taken at."""
    return {key: float(value) for key, value in json.loads(metadata.get("metrics", "{}")).items() if key != "step"}
