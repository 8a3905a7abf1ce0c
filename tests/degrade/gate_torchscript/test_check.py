"""Honest TorchScript passes; what would write, read, loop or import is refused, and torch.jit.load is never reached."""

from __future__ import annotations

import dataclasses
import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from degrade.card import Card, card_json
from degrade.errors import IntegrityError, UnsafeFileError
from degrade.gate_torchscript import check_code
from degrade.trust import admit

Entries = dict[str, bytes]


class Cascades(nn.Module):
    """As H2L: noise beside the image, a list of earlier results, a strided tail, a skip around all of it."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Conv2d(6, 4, 3, padding=1)
        self.blocks = nn.ModuleList(nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.LeakyReLU(0.2)) for _ in range(2))
        self.fusions = nn.ModuleList(nn.Conv2d(4 * (number + 2), 4, 1) for number in range(2))
        self.tail = nn.Conv2d(4, 3, 4, stride=4)

    def forward(self, image: Tensor, noise: Tensor) -> Tensor:
        x = self.head(torch.cat([image, noise], 1))
        kept = [x]
        for block, fusion in zip(self.blocks, self.fusions, strict=False):
            kept.append(block(x) + x)
            x = fusion(torch.cat(kept, 1))
        return self.tail(x) + F.avg_pool2d(image, 4)


class Basis(nn.Module):
    """As DML on luma: pooling, bilinear doubling, odd sizes, kernels weighted for each pixel; or a kernel each."""

    def __init__(self, per_pixel: bool = False) -> None:
        super().__init__()
        self.fine = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1))
        self.pooled = nn.Sequential(nn.MaxPool2d(2), nn.ReLU(), nn.Conv2d(4, 4, 3, padding=1))
        self.weights = nn.Conv2d(8, 25 if per_pixel else 2, 7, padding=3)
        self.basis = nn.Parameter(torch.rand(2, 1, 5, 5))
        self.per_pixel = per_pixel

    def forward(self, image: Tensor) -> Tensor:
        height, width = image.shape[2:]
        luma = (image * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1, keepdim=True)
        even = F.pad(luma, [0, width % 2, 0, height % 2], mode="reflect")
        fine = self.fine(even)
        coarse = F.interpolate(self.pooled(fine), scale_factor=2.0, mode="bilinear", align_corners=False)
        weights = self.weights(torch.cat([coarse, fine], 1))
        around = F.pad(even, [2, 2, 2, 2], mode="replicate")
        if self.per_pixel:
            windows = F.unfold(around, 5).view(even.shape[0], 25, even.shape[2], even.shape[3])
            changed = (windows * torch.softmax(weights, 1)).sum(1, keepdim=True)
        else:
            changed = (F.conv2d(around, self.basis) * torch.sigmoid(weights)).sum(1, keepdim=True)
        return (image + (changed - even)[:, :, :height, :width]).clamp(0, 1)


class Cycle(nn.Module):
    """As CycleGAN's generator: reflected edges, instance norms, ReLU in place, transposed convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Sequential(
            nn.ReflectionPad2d(3), nn.Conv2d(3, 4, 7), nn.InstanceNorm2d(4), nn.ReLU(True), nn.Conv2d(4, 8, 3, 2, 1)
        )
        self.up = nn.Sequential(
            nn.ConvTranspose2d(8, 4, 3, 2, 1, 1),
            nn.InstanceNorm2d(4),
            nn.ReLU(True),
            nn.Conv2d(4, 3, 3, 1, 1),
            nn.Tanh(),
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.up(self.down(image * 2 - 1)) / 2 + 0.5


class Dual(nn.Module):
    """As DDNSR: a branch for a real LR picture; batch norm and PReLU besides."""

    def __init__(self) -> None:
        super().__init__()
        self.image = nn.Sequential(nn.Conv2d(3, 4, 4, 2, 1), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 4, 2, 1), nn.PReLU())
        self.reference = nn.Conv2d(3, 4, 3, 1, 1)
        self.last = nn.Conv2d(8, 3, 3, 1, 1)

    def forward(self, image: Tensor, reference: Tensor) -> Tensor:
        return torch.sigmoid(self.last(torch.cat([self.image(image), self.reference(reference)], 1)))


HONEST: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {  # module: sizes of what it takes
    "cascades": (Cascades, (16, 16)),
    "basis": (Basis, (17,)),
    "kernel per pixel": (lambda: Basis(per_pixel=True), (16,)),
    "cycle": (Cycle, (16,)),
    "dual": (Dual, (16, 4)),
}


@pytest.mark.parametrize("how", ["scripted", "traced"])
@pytest.mark.parametrize("name", HONEST)
def test_honest_frozen_modules_pass(name: str, how: str, torchscript: Callable[..., bytes], tmp_path: Path) -> None:
    make, sizes = HONEST[name]
    examples = [torch.rand(1, 3, size, size) for size in sizes] if how == "traced" else []
    path = tmp_path / "x.pt"
    path.write_bytes(torchscript(make(), *examples, card_text="{}"))
    passed = check_code(path)
    assert len(passed.inputs) == len(sizes)
    assert passed.inputs[0] == "image"


@pytest.mark.parametrize("how", ["scripted", "traced"])
def test_a_module_that_is_not_frozen_is_told_so(how: str, torchscript: Callable[..., bytes], tmp_path: Path) -> None:
    examples = [torch.rand(1, 3, 16, 16)] if how == "traced" else []
    (tmp_path / "x.pt").write_bytes(torchscript(Cycle(), *examples, freeze=False))
    with pytest.raises(UnsafeFileError, match=r"not frozen - save torch.jit.freeze\(module.eval\(\)\)"):
        check_code(tmp_path / "x.pt")


def test_scripted_branches_that_end_in_an_error_are_told_to_be_traced(
    torchscript: Callable[..., bytes], tmp_path: Path
) -> None:
    class Doubles(nn.Module):
        def forward(self, image: Tensor) -> Tensor:
            return F.interpolate(image, scale_factor=2.0, mode="bilinear", align_corners=False)

    path = tmp_path / "x.pt"
    path.write_bytes(torchscript(Doubles()))
    with pytest.raises(UnsafeFileError, match="trace the module instead of scripting it"):
        check_code(path)
    path.write_bytes(torchscript(Doubles(), torch.rand(1, 3, 4, 4)))
    assert check_code(path).inputs == ("image",)


# What torch.jit can express: each of these does its work when it is loaded, or when it is called.


class WritesWhenLoaded(nn.Module):
    def __init__(self, canary: str) -> None:
        super().__init__()
        self.canary = canary

    @torch.jit.export
    def __getstate__(self) -> tuple[str, bool]:
        return self.canary, self.training

    @torch.jit.export
    def __setstate__(self, state: tuple[str, bool]) -> None:
        self.canary = state[0]
        self.training = state[1]
        torch.save(self.training, self.canary)

    def forward(self, image: Tensor) -> Tensor:
        return image


class FromFile(nn.Module):
    def __init__(self, canary: str) -> None:
        super().__init__()
        self.canary = canary

    def forward(self, image: Tensor) -> Tensor:
        return image + torch.from_file(self.canary, True, image.numel(), dtype=torch.float32)[0]


class Saves(FromFile):
    def forward(self, image: Tensor) -> Tensor:
        torch.save(image, self.canary)
        return image


class Loops(FromFile):
    def forward(self, image: Tensor) -> Tensor:
        while bool(image.sum() < 1e9):
            image = image * 1
        return image


class AsksForMemory(FromFile):
    def forward(self, image: Tensor) -> Tensor:
        return image + torch.zeros([1 << 40])[0]


class Prints(FromFile):
    def forward(self, image: Tensor) -> Tensor:
        print(image)
        return image


class Random(FromFile):
    def forward(self, image: Tensor) -> Tensor:
        return image + torch.randn_like(image)


class Forks(FromFile):
    def forward(self, image: Tensor) -> Tensor:
        return torch.jit._wait(torch.jit._fork(torch.relu, image))


class Remembers(nn.Module):
    """Frozen, it keeps the tensor that it changes with every call as a constant."""

    def __init__(self, canary: str) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(1))

    def forward(self, image: Tensor) -> Tensor:
        self.count.add_(1)
        return image * self.count


# Freezing takes `__setstate__` away, and so all that is hostile of the first.
IN_TORCH = [FromFile, Saves, Loops, AsksForMemory, Prints, Random, Forks, Remembers]


@pytest.fixture
def never_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("load", "jit.load"):
        monkeypatch.setattr(f"torch.{name}", lambda *_, **__: pytest.fail("the file was loaded"))


def refusal_of(path: Path, canary: Path) -> IntegrityError:
    """What every door says to `path`; nothing may have been touched."""
    before = sorted(path.parent.iterdir())
    for door in (check_code, lambda file: admit(file, trusted=True)):
        with pytest.raises(IntegrityError) as refusal:
            door(path)
        assert (refusal.value.exit_code, str(refusal.value).count("\n")) == (4, 0)
    assert not canary.exists()
    assert sorted(path.parent.iterdir()) == before
    return refusal.value


@pytest.mark.parametrize(
    ("kind", "freeze"),
    [(WritesWhenLoaded, False), *((kind, freeze) for kind in IN_TORCH for freeze in (False, True))],
)
def test_hostile_modules_of_torch_are_refused(
    kind: Callable[[str], nn.Module],
    freeze: bool,
    torchscript: Callable[..., bytes],
    card: Card,
    tmp_path: Path,
    never_loaded: None,
) -> None:
    canary, text = tmp_path / "canary", card_json(dataclasses.replace(card, inputs=()))
    (tmp_path / "x.pt").write_bytes(torchscript(kind(str(canary)), freeze=freeze, card_text=text))
    assert "card" not in refusal_of(tmp_path / "x.pt", canary).problem


@pytest.mark.filterwarnings("ignore::FutureWarning")  # torch calls its loader deprecated
def test_what_is_refused_would_have_written_while_loading(torchscript: Callable[..., bytes], tmp_path: Path) -> None:
    """The gate off: the canary of `WritesWhenLoaded` is real."""
    canary = tmp_path / "canary"
    (tmp_path / "x.pt").write_bytes(torchscript(WritesWhenLoaded(str(canary)), freeze=False))
    canary.unlink(missing_ok=True)
    torch.jit.load(tmp_path / "x.pt")
    assert canary.stat().st_size > 0


# What only an edited zip can hold.


def edited(data: bytes, edit: Callable[[Entries], object], card: Card) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        entries = {name.partition("/")[2]: file.read(name) for name in file.namelist()}
    entries["extra/card.json"] = card_json(card).encode()
    edit(entries)
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        for name, content in entries.items():
            file.writestr(zipfile.ZipInfo(f"x/{name}"), content)
    return written.getvalue()


def source_of(entries: Entries) -> str:
    (name,) = (name for name in entries if name.endswith(".py"))
    return name


def in_code(before: str, after: str) -> Callable[[Entries], object]:
    def edit(entries: Entries) -> None:
        text = entries[source_of(entries)].decode()
        assert before in text
        entries[source_of(entries)] = text.replace(before, after, 1).encode()

    return edit


def added(name: str, content: bytes) -> Callable[[Entries], object]:
    return lambda entries: entries.update({name: content})


def removed(name: str) -> Callable[[Entries], object]:
    return lambda entries: entries.pop(name)


def replaced(name: str, before: bytes, after: bytes) -> Callable[[Entries], object]:
    def edit(entries: Entries) -> None:
        assert before in entries[name]
        entries[name] = entries[name].replace(before, after, 1)

    return edit


class System:
    """A pickle that would make a folder."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("canary",)


EVIL = pickle.dumps(System(), protocol=2)
CLASS = b'class Evil(Module):\n  def __setstate__(self, x: int) -> NoneType:\n    torch.save(x, "canary")\n'

EDITED = {
    "nothing": (lambda _: None, None),  # the edits below are what is refused, not the editing
    "an operator that writes": (in_code("torch.relu(", 'torch.save("canary", '), "torch.save is not an operator"),
    "an operator of another library": (in_code("torch.relu(", "ops.quantized.relu6("), "ops.quantized.relu6"),
    "an attribute of self": (in_code("[image, noise]", "[self.image, noise]"), "`self.image` may not be used"),
    "a second class": (lambda e: e.update({source_of(e): e[source_of(e)] + CLASS}), "expected one class"),
    "code in another file": (added("code/__torch__/evil.py", CLASS), "code of more than one class"),
    "code in another folder": (added("evil/code.py", CLASS), "evil/code.py: an entry not known"),
    "a second card": (added("extra/card2.json", b"{}"), "extra/card2.json: an entry not known"),
    "the format of older torch": (added("model.json", b"{}"), "model.json: an entry not known"),
    "bytecode": (added("bytecode.pkl", EVIL), "bytecode.pkl: an entry not known"),
    "weights of nothing": (added("constants/99", b"1234"), "constants/99: an entry not known"),
    "attributes": (added("data/0", b"1234"), "data/0: an entry not known"),
    "a pickle that runs, as data": (added("data.pkl", EVIL), "data.pkl: calls posix mkdir"),
    "a pickle that runs, as constants": (added("constants.pkl", EVIL), "constants.pkl: calls posix mkdir"),
    "a pickle that runs, as debug records": (
        lambda e: e.update({f"{source_of(e)}.debug_pkl": EVIL}),
        "debug_pkl: calls posix mkdir",
    ),
    "a class of torch's own": (
        replaced("data.pkl", b"c__torch__", b"ctorch.classes.fb."),
        "makes an object of torch.classes.fb.",
    ),
    "constants on another device": (
        replaced("constants.pkl", b"\x03\0\0\0cpu", b"\x04\0\0\0cuda"),
        "not a plain tensor",
    ),
    "storage of another type": (replaced("constants.pkl", b"FloatStorage", b"QInt8Storage"), "of a known type"),
    "storage too short": (lambda e: e.update({"constants/0": e["constants/0"][:-1]}), "items of torch FloatStorage"),
    "a tensor too large": (
        replaced("constants.pkl", b"K\x04K\x06K\x03", b"K\x05K\x06K\x03"),
        "reaches beyond",
    ),
    "much code": (
        lambda e: e.update({source_of(e): b"\n" * (1 << 20) + e[source_of(e)]}),
        "at most 1,048,576 are read",
    ),
    "a long pickle": (lambda e: e.update({"data.pkl": e["data.pkl"] + bytes(5 << 20)}), "data.pkl: larger than"),
    "no byte order": (removed("byteorder"), "no byteorder in it"),
    "the other byte order": (added("byteorder", b"big"), "not as torch writes them"),
    "no code": (lambda e: e.pop(source_of(e)), "where its class stands"),
    "one input too few": (
        in_code("    noise: Tensor", "    more: Tensor,\n    noise: Tensor"),
        "its code takes image, more",
    ),
}


@pytest.mark.parametrize("name", EDITED)
def test_edited_files_are_refused(
    name: str, tiny: bytes, card: Card, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, never_loaded: None
) -> None:
    monkeypatch.chdir(tmp_path)
    edit, said = EDITED[name]
    path = tmp_path / "x.pt"
    path.write_bytes(edited(tiny, edit, card))
    if said is None:
        assert admit(path, trusted=True).card == card
        return
    with pytest.raises(UnsafeFileError) as refusal:
        admit(path, trusted=True)
    assert said in str(refusal.value)
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.pt"]


@pytest.mark.parametrize("legacy", [False, True], ids=["zip", "pickle"])
@pytest.mark.parametrize("name", ["x.pt", "x.pth", "x.ckpt"])
def test_what_torch_save_wrote_is_refused_whatever_it_is_called(
    name: str, legacy: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state": System()}, tmp_path / name, _use_new_zipfile_serialization=not legacy)
    monkeypatch.setattr("torch.load", lambda *_, **__: pytest.fail("the file was loaded"))
    refusal_of(tmp_path / name, tmp_path / "canary")


def test_the_error_names_file_line_and_operator(tiny: bytes, card: Card, tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(edited(tiny, in_code("torch.relu(", 'torch.save("canary", '), card))
    with pytest.raises(UnsafeFileError, match=r"x.pt: code/__torch__/.*\.py line \d+: torch.save is not an operator"):
        check_code(path)
