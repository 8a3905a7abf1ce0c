"""A pickled module read as data: its opcodes build plain containers and notes of what would be called.

`torch.load(weights_only=True)` refuses whole modules, and what old releases of torch wrote of them. Here nothing is
imported or called either: a global is its name, a call a note. Notes of tensors become tensors, notes of modules their
named tensors; anything else that would need code stays a note, and is refused where it is in the way.
"""

from __future__ import annotations

import pickletools
import struct
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_DTYPES = {
    "torch.FloatStorage": torch.float32,
    "torch.HalfStorage": torch.float16,
    "torch.DoubleStorage": torch.float64,
    "torch.BFloat16Storage": torch.bfloat16,
    "torch.LongStorage": torch.int64,
}
_TENSORS = {"torch._utils._rebuild_tensor", "torch._utils._rebuild_tensor_v2"}
_PARAMETERS = {"torch.nn.parameter.Parameter", "torch._utils._rebuild_parameter"}
_DICTIONARY = "collections.OrderedDict"
_DEEPEST = 100

_MARK = object()


class NotDataError(Exception):
    """A file that is more than tensors in modules and containers."""


@dataclass(frozen=True)
class _Global:
    name: str


@dataclass
class _Call:
    """What the pickle would call, or make and then give a state."""

    name: str
    arguments: tuple[Any, ...]
    state: Any = None


@dataclass(frozen=True)
class _Storage:
    key: str


def read_as_data(path: Path) -> object:
    """The content of `path`, a file of `torch.save` of any age, with each module as its named tensors.

    Raises:
        NotDataError: it needs more than that.
        Exception: of many kinds, if it is damaged.
    """
    types: dict[str, torch.dtype] = {}
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            (program,) = (name for name in archive.namelist() if name.endswith("/data.pkl"))
            with archive.open(program) as file:
                content = _noted(file, types)
            folder = f"{program.removesuffix('data.pkl')}data/"
            storages = {key: _stored(archive, folder + key, dtype) for key, dtype in types.items()}
        return _plain(content, storages, 0)
    with path.open("rb") as file:
        if _noted(file, {}) != _LEGACY_MAGIC:
            raise NotDataError("not a file of torch.save")
        _noted(file, {})  # version of the protocol
        _noted(file, {})  # sizes of the machine's integers
        content, keys = _noted(file, types), _noted(file, {})
        storages = {key: _next_stored(file, types[key]) for key in keys}
    return _plain(content, storages, 0)


def _stored(archive: zipfile.ZipFile, name: str, dtype: torch.dtype) -> Tensor:
    if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
        raise NotDataError("a compressed archive, which torch.save does not write")
    return torch.frombuffer(bytearray(archive.read(name)), dtype=dtype)


def _next_stored(file: IO[bytes], dtype: torch.dtype) -> Tensor:
    (length,) = struct.unpack("<q", file.read(8))
    data = file.read(length * dtype.itemsize) if length > 0 else b""
    if len(data) != length * dtype.itemsize:
        raise NotDataError("a file that ends too soon")
    return torch.frombuffer(bytearray(data), dtype=dtype)


def _noted(file: IO[bytes], types: dict[str, torch.dtype]) -> Any:
    """The value of the next pickle in `file`; nothing in it is imported or called.

    `types` receives the type of each storage by its key.
    """
    stack: list[Any] = []
    memo: dict[int, Any] = {}
    for opcode, argument, _ in pickletools.genops(file):
        if opcode.name == "STOP":
            return stack.pop()
        if opcode.name == "BINPERSID":
            stack.append(_saved(stack.pop(), types))
        elif opcode.name in _ACTIONS:
            _ACTIONS[opcode.name](stack, memo, argument)
        else:
            raise NotDataError(f"a pickle with the opcode {opcode.name}, which no checkpoint needs")
    raise NotDataError("a pickle without an end")


_Action = Callable[[list[Any], dict[int, Any], Any], object]


def _constant(value: Any) -> _Action:
    return lambda stack, memo, argument: stack.append(value)


def _push(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
    stack.append(argument)


def _tuple(count: int) -> _Action:
    def act(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
        stack[-count:] = [tuple(stack[-count:])]

    return act


def _to_mark(stack: list[Any]) -> list[Any]:
    at = max(place for place, value in enumerate(stack) if value is _MARK)
    values = stack[at + 1 :]
    del stack[at:]
    return values


def _set_item(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
    value, key = stack.pop(), stack.pop()
    stack[-1][key] = value


def _set_items(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
    values = _to_mark(stack)
    stack[-1].update(zip(values[::2], values[1::2], strict=True))


def _append(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
    value = stack.pop()
    stack[-1].append(value)


def _extend(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
    values = _to_mark(stack)
    stack[-1].extend(values)


def _call(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
    arguments, what = stack.pop(), stack.pop()
    if not isinstance(what, _Global) or not isinstance(arguments, tuple):
        raise NotDataError("a pickle that calls something that is not a name")
    stack.append(dict(*arguments) if what.name == _DICTIONARY else _Call(what.name, arguments))


def _give_state(stack: list[Any], memo: dict[int, Any], argument: Any) -> None:
    state = stack.pop()
    if isinstance(stack[-1], _Call):
        stack[-1].state = state


_ACTIONS: dict[str, _Action] = {
    "PROTO": lambda stack, memo, argument: None,
    "MARK": _constant(_MARK),
    "NONE": _constant(None),
    "NEWTRUE": _constant(True),
    "NEWFALSE": _constant(False),
    "EMPTY_TUPLE": _constant(()),
    "EMPTY_DICT": lambda stack, memo, argument: stack.append({}),
    "EMPTY_LIST": lambda stack, memo, argument: stack.append([]),
    "EMPTY_SET": lambda stack, memo, argument: stack.append(set()),
    **dict.fromkeys(("BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"), _push),
    **dict.fromkeys(("BINSTRING", "SHORT_BINSTRING", "BINUNICODE"), _push),
    "TUPLE": lambda stack, memo, argument: stack.append(tuple(_to_mark(stack))),
    "TUPLE1": _tuple(1),
    "TUPLE2": _tuple(2),
    "TUPLE3": _tuple(3),
    "APPEND": _append,
    "APPENDS": _extend,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), lambda stack, memo, argument: memo.update({argument: stack[-1]})),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), lambda stack, memo, argument: stack.append(memo[argument])),
    "GLOBAL": lambda stack, memo, argument: stack.append(_Global(argument.replace(" ", "."))),
    **dict.fromkeys(("REDUCE", "NEWOBJ"), _call),
    "BUILD": _give_state,
}


def _saved(parts: Any, types: dict[str, torch.dtype]) -> Any:
    """A persistent id: a storage, or a class with its source text, of which the name will do."""
    match parts:
        case ("module", _Global() as name, *_):
            return name
        case ("storage", _Global(name), str(key), _, int(), *view) if name in _DTYPES and not any(view):
            types[key] = _DTYPES[name]
            return _Storage(key)
        case _:
            raise NotDataError("a pickle with an unknown kind of storage")


def _plain(value: Any, storages: Mapping[str, Tensor], depth: int) -> Any:
    """`value` with notes of tensors and modules turned into tensors and dictionaries."""
    if depth > _DEEPEST:
        raise NotDataError("containers nested too deep")
    match value:
        case Mapping():
            return {key: _plain(inner, storages, depth + 1) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner, storages, depth + 1) for inner in value]
        case _Call(name, arguments) if name in _TENSORS:
            return _tensor(arguments, storages)
        case _Call(name, arguments) if name in _PARAMETERS and arguments:
            return _plain(arguments[0], storages, depth + 1)
        case _Call(state=dict() as state) if {"_parameters", "_buffers", "_modules"} <= state.keys():
            return _of_module(state, storages, depth)
        case _Call(name):
            raise NotDataError(f"a pickle that would run code ({name})")
        case _:
            return value


def _of_module(state: Mapping[str, Any], storages: Mapping[str, Tensor], depth: int) -> dict[str, Tensor]:
    own = {**state["_parameters"], **state["_buffers"]}
    tensors = {key: _plain(value, storages, depth + 1) for key, value in own.items() if value is not None}
    for name, module in state["_modules"].items():
        inner = _plain(module, storages, depth + 1) or {}
        tensors.update({f"{name}.{key}": value for key, value in inner.items()})
    return tensors


def _tensor(arguments: tuple[Any, ...], storages: Mapping[str, Tensor]) -> Tensor:
    storage, offset, size, stride = arguments[:4]
    if not isinstance(storage, _Storage):
        raise NotDataError("a tensor without a storage")
    return storages[storage.key].as_strided(size, stride, offset).clone()  # torch checks that it lies inside
