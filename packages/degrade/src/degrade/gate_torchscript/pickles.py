"""The pickles inside a TorchScript file, taken apart and never run.

Only what the writer of `torch.jit.save` uses is known here: plain values, and three names of `torch`. The result is a
picture of what the pickle would build; whoever asked compares it with what may stand there.
"""

from __future__ import annotations

import pickletools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_PLAIN = {"BINUNICODE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "NEWTRUE", "NEWFALSE", "NONE"}
_CALLED = {"torch._utils _rebuild_tensor_v2", "collections OrderedDict", "torch.jit._pickle build_intlist"}


@dataclass(frozen=True)
class Name:
    """What a pickle imports, as `module name`."""

    text: str


@dataclass(frozen=True)
class Made:
    """A call, an object, or bytes that lie elsewhere: `name` with `arguments`, neither of them carried out."""

    name: str
    arguments: tuple[Any, ...]


_MARK = object()


def taken_apart(pickle: bytes) -> Any:
    """What `pickle` would build: plain values, tuples, lists and `Made`; an object is `Made` with its state.

    Raises:
        ValueError: it does anything else; says what.
    """
    stack: list[Any] = []
    memo: list[Any] = []
    end = 0
    for name, argument, end in _operations(pickle):  # noqa: B007  the last `end` is looked at
        if name in _PLAIN:
            stack.append({"NEWTRUE": True, "NEWFALSE": False, "NONE": None}.get(name, argument))
        elif name in {"BINPUT", "LONG_BINPUT"}:
            if argument != len(memo):  # torch makes room for any number
                raise ValueError(f"memo {argument} out of turn")
            memo.append(stack[-1])
        elif name in {"BINGET", "LONG_BINGET"}:
            stack.append(memo[argument])
        elif name == "GLOBAL":
            stack.append(Name(argument))
        elif name == "MARK":
            stack.append(_MARK)
        elif name not in {"PROTO", "STOP"}:
            _reduce(name, stack)
    if end != len(pickle) - 1 or len(stack) != 1:
        raise ValueError("bytes after its end")
    return stack[0]


def _operations(pickle: bytes) -> Iterator[tuple[str, Any, int]]:
    for opcode, argument, place in pickletools.genops(pickle):
        yield opcode.name, argument, place or 0


def _reduce(name: str, stack: list[Any]) -> None:
    """Carry out an opcode that takes values from `stack`, in the picture."""
    if name in {"EMPTY_TUPLE", "EMPTY_LIST", "EMPTY_DICT"}:
        stack.append({"EMPTY_TUPLE": (), "EMPTY_LIST": [], "EMPTY_DICT": {}}[name])
    elif name in {"TUPLE1", "TUPLE2", "TUPLE3"}:
        count = int(name[-1])
        _need(stack, count)
        stack[-count:] = [tuple(stack[-count:])]
    elif name == "TUPLE":
        stack.append(tuple(_since_mark(stack)))
    elif name == "APPENDS":
        values = _since_mark(stack)
        _at_top(stack, list).extend(values)
    elif name == "SETITEMS":
        if _since_mark(stack):
            raise ValueError("an object with attributes: not frozen")
        _at_top(stack, dict)
    elif name == "BINPERSID":
        stack.append(Made("stored", _taken(stack, tuple)))
    elif name == "REDUCE":
        arguments, function = _taken(stack, tuple), _taken(stack, Name).text
        if function not in _CALLED:
            raise ValueError(f"calls {function}")
        stack.append(Made(function, arguments))
    elif name == "NEWOBJ":
        arguments, kind = _taken(stack, tuple), _taken(stack, Name).text
        if arguments or not kind.startswith("__torch__"):
            raise ValueError(f"makes an object of {kind}")
        stack.append(Made(kind, ()))
    elif name == "BUILD":
        state, made = _taken(stack, dict), _taken(stack, Made)
        stack.append(Made(made.name, (state,)))
    else:
        raise ValueError(f"does {name}")


def _since_mark(stack: list[Any]) -> list[Any]:
    place = next((index for index in range(len(stack) - 1, -1, -1) if stack[index] is _MARK), None)
    if place is None:
        raise ValueError("a mark is missing")
    values = stack[place + 1 :]
    del stack[place:]
    return values


def _need(stack: list[Any], count: int) -> None:
    if len(stack) < count or any(value is _MARK for value in stack[-count:]):
        raise ValueError("it takes more than it put")


def _at_top(stack: list[Any], kind: type) -> Any:
    _need(stack, 1)
    if not isinstance(stack[-1], kind):
        raise ValueError(f"expected {kind.__name__}, got {type(stack[-1]).__name__}")
    return stack[-1]


def _taken(stack: list[Any], kind: type) -> Any:
    value = _at_top(stack, kind)
    stack.pop()
    return value
