"""The gate itself: which entries a TorchScript file may have, and what each of them may hold."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from degrade.archive import DO_NOT_LOAD, MAX_TEXT_BYTES, Archive, open_archive
from degrade.errors import UnsafeFileError
from degrade.gate_torchscript.code import RefusedError, check_source
from degrade.gate_torchscript.pickles import Made, Name, taken_apart

ITEM_BYTES = {  # of the storages that weights lie in
    "torch DoubleStorage": 8, "torch FloatStorage": 4, "torch HalfStorage": 2, "torch BFloat16Storage": 2,
    "torch LongStorage": 8, "torch IntStorage": 4, "torch ShortStorage": 2, "torch CharStorage": 1,
    "torch ByteStorage": 1, "torch BoolStorage": 1,
}  # fmt: skip

_QUALIFIED = re.compile(r"(__torch__(?:\.[A-Za-z_][A-Za-z0-9_]*)*) ([A-Za-z_][A-Za-z0-9_]*)")
_FREEZE = "save torch.jit.freeze(module.eval()) on the CPU"
_OTHERS = {"extra/card.json", ".data/serialization_id"}  # read by us; read by nobody


@dataclass(frozen=True)
class Checked:
    """What the gate saw.

    Attributes:
        inputs: the names of the tensors that `forward` takes, the image first.
        class_name: of the module, as TorchScript calls it.
    """

    inputs: tuple[str, ...]
    class_name: str


def check_code(path: Path) -> Checked:
    """Check a TorchScript file; nothing of it is run.

    Raises:
        IntegrityError: not a TorchScript file, or damaged.
        UnsafeFileError: holds more than a frozen module of known operators; names the place.
    """
    return check(open_archive(path))


def check(archive: Archive) -> Checked:
    """As `check_code`, of a file that is open."""
    for name in ("data.pkl", "constants.pkl", "version", "byteorder"):
        if name not in archive.entries:
            cure = f"it may be a pickle of torch.save; {_FREEZE}" if "data.pkl" in archive.entries else _FREEZE
            raise UnsafeFileError(archive.path, f"no {name} in it: not a TorchScript file", cure)
    module, class_name = _module(archive)
    source = f"code/{module.replace('.', '/')}.py"
    num_constants, constants = _constants(archive)
    _check_strangers(archive, source, constants)
    if archive.entries["byteorder"] != b"little" or not re.fullmatch(rb"[0-9]{1,3}\n?", archive.entries["version"]):
        raise UnsafeFileError(archive.path, "version or byteorder: not as torch writes them", DO_NOT_LOAD)
    if (debug := f"{source}.debug_pkl") in archive.entries:  # torch reads it when an operator fails
        _taken_apart(archive, debug)
    text, qualified_name = archive.entries[source], f"{module}.{class_name}"
    try:
        inputs = check_source(text, qualified_name=qualified_name, num_constants=num_constants)
    except RefusedError as error:
        cure = _FREEZE if "not frozen" in error.what else DO_NOT_LOAD
        raise UnsafeFileError(archive.path, f"{source} line {error.line}: {error.what}", cure) from None
    return Checked(inputs, qualified_name)


def _module(archive: Archive) -> tuple[str, str]:
    """Where the class of the one object in the file stands, and its name; it has no state."""
    made = _taken_apart(archive, "data.pkl")
    if not isinstance(made, Made) or not (named := _QUALIFIED.fullmatch(made.name)):
        raise UnsafeFileError(archive.path, "data.pkl: not one object of TorchScript", DO_NOT_LOAD)
    if made.arguments != ({},):
        raise UnsafeFileError(archive.path, "data.pkl: an object with attributes: not frozen", _FREEZE)
    return named[1], named[2]


def _constants(archive: Archive) -> tuple[int, set[str]]:
    """How many tensors the code may name, and the entries they lie in."""
    constants = _taken_apart(archive, "constants.pkl")
    if not isinstance(constants, tuple):
        raise UnsafeFileError(archive.path, "constants.pkl: not a list of tensors", DO_NOT_LOAD)
    entries: set[str] = set()
    for number, constant in enumerate(constants):
        match constant:
            case Made(
                name="torch._utils _rebuild_tensor_v2",
                arguments=(
                    Made(name="stored", arguments=("storage", Name(text=kind), str() as key, "cpu", int() as count)),
                    int() as offset,
                    tuple() as shape,
                    tuple() as strides,
                    False,
                    Made(name="collections OrderedDict", arguments=()),
                ),
            ):
                problem = _misplaced(archive, kind, f"constants/{key}", count, offset, shape, strides)
                entries.add(f"constants/{key}")
            case _:
                problem = "not a plain tensor on the CPU"
        if problem:
            raise UnsafeFileError(archive.path, f"constants.pkl: entry {number}: {problem}", DO_NOT_LOAD)
    return len(constants), entries


def _misplaced(
    archive: Archive, kind: str, entry: str, count: int, offset: int, shape: tuple[Any, ...], strides: tuple[Any, ...]
) -> str | None:
    """What is wrong with a tensor whose `count` items should be all of `entry`; None if nothing."""
    if kind not in ITEM_BYTES or entry not in archive.entries:
        return f"no {entry} of a known type"
    if len(archive.entries[entry]) != count * ITEM_BYTES[kind]:
        return f"{entry} has {len(archive.entries[entry]):,} bytes, {count} items of {kind} are stated"
    if len(shape) != len(strides) or not all(isinstance(n, int) and n >= 0 for n in (offset, *shape, *strides)):
        return "sizes and strides that do not fit"
    last = offset + sum((length - 1) * stride for length, stride in zip(shape, strides, strict=True))
    if offset > count or (math.prod(shape) and last >= count):
        return f"reaches beyond {entry}"
    return None


def _check_strangers(archive: Archive, source: str, constants: set[str]) -> None:
    known = {"data.pkl", "constants.pkl", "version", "byteorder", source, f"{source}.debug_pkl"} | _OTHERS | constants
    for name in sorted(archive.entries.keys() - known):
        if name.startswith("code/") and name.endswith((".py", ".debug_pkl")):
            raise UnsafeFileError(archive.path, f"{name}: code of more than one class: not frozen", _FREEZE)
        raise UnsafeFileError(archive.path, f"{name}: an entry not known", DO_NOT_LOAD)
    if source not in archive.entries:
        raise UnsafeFileError(archive.path, f"no {source} in it, where its class stands", DO_NOT_LOAD)


def _taken_apart(archive: Archive, name: str) -> Any:
    if len(archive.entries[name]) > MAX_TEXT_BYTES:
        raise UnsafeFileError(archive.path, f"{name}: larger than {MAX_TEXT_BYTES:,} bytes", DO_NOT_LOAD)
    try:
        return taken_apart(archive.entries[name])
    except (ValueError, LookupError, RecursionError) as error:
        cure = _FREEZE if "not frozen" in str(error) else DO_NOT_LOAD
        raise UnsafeFileError(archive.path, f"{name}: {error}", cure) from None
