"""Hostile, odd and foreign HDF5 files are refused before anything they name is touched."""

from __future__ import annotations

import contextlib
import ctypes
import ctypes.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest

from degrade.errors import IntegrityError, UnsafeFileError
from degrade.shards import gate
from degrade.shards.writer import write_shard

Mutation = Callable[[h5py.File, Path], object]
CANARY = b"nobody reads this, nobody writes it\n" * 100


def replaced(name: str, make: Callable[[h5py.File, Path], object]) -> Mutation:
    def mutate(file: h5py.File, canary: Path) -> None:
        del file[name]
        make(file, canary)

    return mutate


def chunked(file: h5py.File, **settings: object) -> h5py.Dataset:
    return file.create_dataset("lr_crc", (12,), "<u4", data=np.zeros(12, "<u4"), chunks=(6,), **settings)


def unknown_filter(file: h5py.File, _: Path) -> None:
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_chunk((6,))
    properties.set_filter(32013, h5py.h5z.FLAG_OPTIONAL)
    h5py.h5d.create(file.id, b"lr_crc", h5py.h5t.STD_U32LE, h5py.h5s.create_simple((12,)), properties)


def virtual(file: h5py.File, canary: Path) -> None:
    layout = h5py.VirtualLayout((12,), "<u4")
    layout[:] = h5py.VirtualSource(str(canary), "data", (12,))
    file.create_virtual_dataset("lr_crc", layout)


def endless_virtual(file: h5py.File, canary: Path) -> None:
    layout = h5py.VirtualLayout((12,), "<u4", maxshape=(None,))
    source = h5py.VirtualSource(str(canary), "data", (12,), maxshape=(None,))
    layout[: h5py.h5s.UNLIMITED] = source[: h5py.h5s.UNLIMITED]
    file.create_virtual_dataset("lr_crc", layout)


def external(path_of: Callable[[Path], str]) -> Mutation:
    def make(file: h5py.File, canary: Path) -> None:
        file.create_dataset("lr_crc", (12,), "<u4", external=[(path_of(canary), 0, 48)])

    return replaced("lr_crc", make)


def named_type(file: h5py.File, _: Path) -> None:
    file["kind"] = np.dtype("<u4")
    file.create_dataset("lr_crc", (12,), file["kind"])
    del file["kind"]


def dataset(name: str, data: object, **settings: object) -> Mutation:
    return replaced(name, lambda file, _: file.create_dataset(name, data=data, **settings))


HOSTILE: dict[str, tuple[Mutation, str]] = {
    "external storage, absolute": (external(str), "another file"),
    "external storage, relative": (external(lambda canary: f"../{canary.parent.name}/{canary.name}"), "another file"),
    "external link": (
        replaced("lr_crc", lambda f, canary: f.__setitem__("lr_crc", h5py.ExternalLink(str(canary), "/data"))),
        "link to another file",
    ),
    "soft link": (replaced("lr_crc", lambda f, _: f.__setitem__("lr_crc", h5py.SoftLink("/hr_crc"))), "soft link"),
    "link loop": (replaced("lr_crc", lambda f, _: f.__setitem__("lr_crc", h5py.SoftLink("/lr_crc"))), "soft link"),
    "second hard link": (replaced("lr_crc", lambda f, _: f.__setitem__("lr_crc", f["hr_crc"])), "overlaps"),
    "virtual": (replaced("lr_crc", virtual), "not contiguous"),
    "endless virtual": (replaced("lr_crc", endless_virtual), "not contiguous"),
    "group": (replaced("lr_crc", lambda f, _: f.create_group("lr_crc")), "not a dataset"),
    "one more dataset": (lambda f, _: f.create_dataset("more", data=[1]), "13 objects"),
    "chunked": (replaced("lr_crc", lambda f, _: chunked(f)), "not contiguous"),
    "gzip": (replaced("lr_crc", lambda f, _: chunked(f, compression="gzip")), "filtered"),
    "fletcher32": (replaced("lr_crc", lambda f, _: chunked(f, fletcher32=True)), "filtered"),
    "unknown filter": (replaced("lr_crc", unknown_filter), "filtered"),
    "extendible": (replaced("lr_crc", lambda f, _: chunked(f, maxshape=(None,))), "not contiguous"),
    "never written": (dataset("lr_crc", None, shape=(12,), dtype="<u4"), "never written"),
    "shape bomb": (dataset("hr", None, shape=(1 << 20, 24, 32, 3), dtype="|u1"), "never written"),
    "scalar": (dataset("lr_crc", np.uint32(1)), "axes"),
    "empty": (dataset("lr_crc", h5py.Empty("<u4")), "axes"),
    "wrong axes": (dataset("lr_crc", np.zeros((12, 1), "<u4")), "axes"),
    "big-endian": (dataset("lr_crc", np.zeros(12, ">u4")), "not of type"),
    "float": (dataset("lr_crc", np.zeros(12, "<f4")), "not of type"),
    "bool": (dataset("trace", np.zeros(12, bool)), "not of type"),
    "compound": (dataset("lr_crc", np.zeros(12, [("a", "<u2"), ("b", "<u2")])), "not of type"),
    "strings": (dataset("lr_crc", ["text"] * 12), "not of type"),
    "object references": (
        replaced("lr_crc", lambda f, _: f.create_dataset("lr_crc", data=[f.ref] * 12, dtype=h5py.ref_dtype)),
        "not of type",
    ),
    "named type": (replaced("lr_crc", named_type), "not of type"),
    "attribute of a dataset": (lambda f, _: f["lr"].attrs.__setitem__("a", 1), "attributes of its own"),
    "long attribute": (lambda f, _: f.attrs.create("tool", np.zeros(1000, "S1")), "not a scalar"),
    "variable text": (lambda f, _: f.attrs.__setitem__("tool", "text"), "fixed-length text"),
    "object attribute": (lambda f, _: f.attrs.__setitem__("tool", f.ref), "fixed-length text"),
}

ODD: dict[str, tuple[Mutation, str]] = {
    "no shard": (lambda f, _: f.attrs.__delitem__("format"), "not a shard of degrade"),
    "other format": (lambda f, _: f.attrs.__setitem__("format", np.bytes_(b"degrade-pool")), "format 'degrade-pool'"),
    "next version": (lambda f, _: f.attrs.__setitem__("format_version", 2), "format_version 2, this degrade reads 1"),
    "attribute lost": (lambda f, _: f.attrs.__delitem__("margin"), "attributes"),
    "attribute of another type": (lambda f, _: f.attrs.__setitem__("margin", np.bytes_(b"32")), "margin: expected int"),
    "impossible scale": (lambda f, _: f.attrs.__setitem__("scale", 5), "multiples of 5"),
    "other scale": (lambda f, _: f.attrs.__setitem__("scale", 2), "lr: shape"),
    "dataset lost": (lambda f, _: f.__delitem__("origin"), "datasets"),
    "fewer rows": (dataset("lr_crc", np.zeros(11, "<u4")), r"lr_crc: shape \(11,\), expected \(12,\)"),
    "another dtype of lr": (dataset("lr", np.zeros((12, 6, 8, 3), "<u2")), "do not belong together"),
}


@pytest.fixture
def shard(shard_maker, tmp_path: Path) -> Path:
    path = tmp_path / "shard.h5"
    write_shard(path, *shard_maker(variants=1))
    return path


@contextlib.contextmanager
def watched(path: Path) -> Iterator[Callable[[], bytes]]:
    """A function that returns the kernel's notes of all openings, reads and writes of `path` so far."""
    libc = ctypes.CDLL(None, use_errno=True)
    notes = libc.inotify_init1(os.O_NONBLOCK)
    assert libc.inotify_add_watch(notes, os.fsencode(path), 0x1 | 0x2 | 0x20) > 0  # access, modify, open

    def seen() -> bytes:
        try:
            return os.read(notes, 4096)
        except BlockingIOError:
            return b""

    try:
        yield seen
    finally:
        os.close(notes)


@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_file_is_refused_and_what_it_names_is_not_touched(kind: str, shard: Path, tmp_path: Path) -> None:
    mutate, reason = HOSTILE[kind]
    canary = tmp_path / "canary.h5"
    with h5py.File(canary, "w") as file:
        file["data"] = np.frombuffer(CANARY, "<u4")
    with h5py.File(shard, "r+") as file:
        mutate(file, canary)
    before = canary.read_bytes()
    with watched(canary) as seen:
        with pytest.raises(UnsafeFileError, match=reason) as caught:
            gate.check(shard)
        assert seen() == b""
        assert canary.read_bytes() == before
        assert seen() != b""  # the watch works
    assert str(caught.value).startswith(f"{shard}: ")
    assert len(str(caught.value)) - len(str(shard)) < 200


@pytest.mark.parametrize("kind", ODD)
def test_a_file_that_is_no_shard_of_this_version_is_refused(kind: str, shard: Path, tmp_path: Path) -> None:
    mutate, reason = ODD[kind]
    with h5py.File(shard, "r+") as file:
        mutate(file, tmp_path)
    with pytest.raises(IntegrityError, match=reason) as caught:
        gate.check(shard)
    assert not isinstance(caught.value, UnsafeFileError)


@pytest.mark.parametrize("data", [b"", b"\x89HDF\r\n\x1a\n", b"<html>" * 100, b"\x89HDF\r\n\x1a\n\x03" + bytes(3000)])
def test_what_is_no_hdf5_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "shard.h5"
    path.write_bytes(data)
    with pytest.raises(IntegrityError, match="HDF5"):
        gate.check(path)


def test_files_without_checksums_or_with_a_user_block_are_refused(shard: Path, tmp_path: Path) -> None:
    for name, settings, reason in (
        ("old.h5", {"libver": "earliest"}, "older kind"),
        ("block.h5", {"libver": ("v110", "v110"), "userblock_size": 512}, "start is damaged"),
    ):
        with h5py.File(tmp_path / name, "w", **settings) as file, h5py.File(shard, "r") as good:
            for dataset_name in good:
                good.copy(dataset_name, file)
        with pytest.raises(IntegrityError, match=reason):
            gate.check(tmp_path / name)


def test_pipes_folders_and_missing_files_end_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.h5")
    (tmp_path / "folder.h5").mkdir()
    for name, reason in (("pipe.h5", "regular"), ("folder.h5", "regular"), ("none.h5", "missing")):
        with pytest.raises(IntegrityError, match=reason):
            gate.check(tmp_path / name)


def test_a_file_larger_than_any_shard_is_refused_before_hdf5_sees_it(shard: Path) -> None:
    os.truncate(shard, gate.MAX_FILE_BYTES + 1)  # sparse
    with pytest.raises(UnsafeFileError, match="at most"):
        gate.check(shard)


def test_shards_of_another_honest_writer_pass(shard: Path, tmp_path: Path) -> None:
    """The contract is the layout, not our writer: h5py alone can write one."""
    path = tmp_path / "other.h5"
    with h5py.File(shard, "r") as ours, h5py.File(path, "w", libver=("v110", "v110")) as theirs:
        for name, value in ours.attrs.items():
            theirs.attrs.create(name, value, dtype=ours.attrs.get_id(name).dtype)
        for name, values in ours.items():
            theirs.create_dataset(name, data=values[:])
    assert gate.check(path).header == gate.check(shard).header


@pytest.mark.skipif(sys.platform != "linux", reason="inotify")
@pytest.mark.parametrize(("first", "loaded"), [("import degrade.shards.gate", False), ("import h5py", True)])
def test_no_filter_plugin_is_loaded(first: str, loaded: bool, shard: Path, tmp_path: Path) -> None:
    """With our door a library on the plug-in path stays closed; without it HDF5 does load it."""
    library = tmp_path / "plugins" / "libcanary.so"
    library.parent.mkdir()
    library.write_bytes(CANARY)
    with h5py.File(shard, "r+") as file:
        del file["lr_crc"]
        unknown_filter(file, tmp_path)
        file["lr_crc"].id.write_direct_chunk((0,), bytes(24))
    code = f"{first}; import h5py; h5py.File({str(shard)!r})['lr_crc'][:]"
    environment = os.environ | {"HDF5_PLUGIN_PATH": str(library.parent)}
    with watched(library) as seen:
        run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
        assert run.returncode == 1
        assert (seen() != b"") is loaded
