"""Pickles are taken apart and never run; what they may hold is what torch.jit.save writes."""

from __future__ import annotations

import collections
import os
import pickle
import pickletools

import pytest

from degrade.gate_torchscript.pickles import Made, taken_apart

VALUES = [None, True, False, 0, 255, 65535, -(2**31), 2**63 - 1, 0.5, "text", (), [], (1,), (1, 2), (1, 2, 3)]
VALUES += [(1, 2, 3, 4, (5, [6, 7])), ["a", "a", ("a",)]]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_plain_values_come_out_as_pickle_gives_them(value: object) -> None:
    assert taken_apart(pickle.dumps(value, protocol=2)) == value


def test_an_ordered_dictionary_stays_a_picture() -> None:
    made = taken_apart(pickle.dumps(collections.OrderedDict(), protocol=2))
    assert made == Made("collections OrderedDict", ())


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.mkdir, ("canary",)


class Stateful:
    def __init__(self) -> None:
        self.__dict__["x"] = 1


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (pickle.dumps(Evil(), protocol=2), "calls posix mkdir"),
        (pickle.dumps(Stateful(), protocol=2), "makes an object of .* Stateful"),
        (b"cos\nsystem\n(S'true'\ntR.", "does STRING"),
        (b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.", "calls os system"),
        (b"\x80\x02ctorch.serialization\nload\n)R.", "calls torch.serialization load"),
        (b"\x80\x02cbuiltins\neval\n)\x81.", "makes an object of builtins eval"),
        (b"\x80\x04\x8c\x02os\x8c\x06system\x93.", "does"),
        (b"(ios\nsystem\n.", "does INST"),
        (b"(cos\nsystem\no.", "does OBJ"),
        (b"\x82\x01.", "does EXT1"),
        (b"\x80\x02}X\x01\x00\x00\x00aK\x01s.", "does SETITEM"),
        (b"\x80\x02}(X\x01\x00\x00\x00aK\x01u.", "not frozen"),
        (b"\x80\x02K\x01r\xff\xff\xff\x7f.", "memo 2147483647 out of turn"),
        (b"\x80\x02K\x01.more", "bytes after its end"),
        (b"\x80\x02K\x01K\x02.", "bytes after its end"),
        (b"\x80\x02\x85.", "it takes more than it put"),
        (b"\x80\x02t.", "a mark is missing"),
        (b"\x80\x02K\x01K\x02R.", "expected tuple, got int"),
        (b"\x80\x02K\x01)R.", "expected Name, got int"),
        (b"\x80\x02K\x01", "exhausted"),
        (b"", "exhausted"),
    ],
)
def test_anything_else_is_refused(data: bytes, said: str, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=said):
        taken_apart(data)
    assert not list(tmp_path.iterdir())


def test_a_memo_that_was_never_filled_is_no_value() -> None:
    with pytest.raises(LookupError):
        taken_apart(b"\x80\x02h\x05.")


def test_what_is_refused_above_is_what_pickle_itself_would_run(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    data = pickle.dumps(Evil(), protocol=2)
    assert "mkdir" in str([argument for _, argument, _ in pickletools.genops(data)])
    pickle.loads(data)
    assert (tmp_path / "canary").is_dir()
