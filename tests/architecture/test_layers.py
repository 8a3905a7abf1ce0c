"""The floors of both packages as tables, checked against every import in the source.

`ARCHITECTURE.md` draws the house; this file is its lock. An import may only go to a lower floor,
or stay inside its own folder. A heavy library may only be named by the files listed for it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

FLOORS: dict[str, dict[str, int]] = {
    "degrade": {
        "errors": 0, "jit": 0,
        "schema": 1, "atomic": 1, "elementary": 1, "archive": 1,
        "image": 2, "card": 2, "gate_torchscript": 2, "codecs": 2, "rng": 2,
        "functional": 3, "shards": 3, "assets": 3, "trust": 3,
        "ops": 4, "sources": 4,
        "recipe": 5, "recipe_import": 5, "recipes": 5,
        "pipeline": 6,
        "synthesize": 7, "report": 7, "measure": 7,
        "cli": 8, "on_the_fly": 8,
    },
    "srzoo": {
        "errors": 0,
        "tensors": 1, "threads": 1, "features": 1,
        "networks": 2, "degraders": 2, "discriminators": 2, "losses": 2, "metrics": 2, "ema": 2, "optim": 2,
        "data": 3,
        "checkpoint": 4, "objectives": 4,
        "preset": 5, "export": 5,
        "upscale": 6,
        "evaluate": 7, "trainer": 7, "report": 7, "kernelgan": 7,
        "cli": 8,
    },
}  # fmt: skip

# What srzoo may see of degrade: floors 0 to 3, and where photographs come from.
DEGRADE_FOR_SRZOO = {room for room, floor in FLOORS["degrade"].items() if floor <= 3} | {"sources"}

# Library -> the only places that may import it (a room, or one file of a room).
LIBRARIES: dict[str, dict[str, set[str]]] = {
    "degrade": {
        "numba": {"jit"},
        "h5py": {"shards"},
        "cv2": {"codecs", "functional"},
        "PIL": {"codecs", "functional", "report"},
        "scipy": {"functional", "measure", "sources.burst"},
        "torch": {"ops.learned"},
        "yaml": {"recipe_import"},
        "skimage": {"sources.samples"},
        "distributed": {"synthesize.workers"},
        "lmdb": {"shards.export"},
        "webdataset": {"shards.export"},
        "av": set(),
        "pydantic": {"schema"},
        "jinja2": {"report"},
        "click": {"cli"},
        "rich": {"cli"},
        "srzoo": set(),
    },
    "srzoo": {
        "click": {"cli"},
        "rich": {"cli"},
        "jinja2": {"report"},
        "numba": set(),
        "h5py": set(),
        "cv2": set(),
        "PIL": {"report.scatter"},
    },
}

# Files of one room that may not import each other (each is complete in itself).
NO_SIBLINGS = {
    ("srzoo", "networks"): {"layers"},
    ("srzoo", "degraders"): {"layers"},
    ("srzoo", "discriminators"): {"layers"},
    ("srzoo", "losses"): set(),
    ("srzoo", "metrics"): set(),
    ("srzoo", "objectives"): {"protocol"},
    ("degrade", "ops"): {"protocol", "blur_fields"},
}


def source_files(package: str) -> list[Path]:
    return sorted((ROOT / "packages" / package / "src" / package).rglob("*.py"))


def module_name(package: str, path: Path) -> str:
    """`shards.reader` for packages/degrade/src/degrade/shards/reader.py; '' for the package itself."""
    parts = path.relative_to(ROOT / "packages" / package / "src" / package).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Every imported dotted name with its line; `from a.b import c` gives `a.b.c`."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: absolute imports only"
            for alias in node.names:
                yield f"{node.module}.{alias.name}", node.lineno


def room(name: str) -> str:
    return name.split(".")[0]


@pytest.mark.parametrize("package", FLOORS)
def test_every_file_has_a_room(package: str) -> None:
    known = set(FLOORS[package]) | {"", "__main__", "_version"}
    strangers = [p for p in source_files(package) if room(module_name(package, p)) not in known]
    assert not strangers, f"no floor is stated for {strangers}"


@pytest.mark.parametrize("package", FLOORS)
def test_imports_go_strictly_downward(package: str) -> None:
    floors, wrong = FLOORS[package], []
    for path in source_files(package):
        here = module_name(package, path)
        if room(here) in {"", "__main__"}:
            continue  # the package's own front door points anywhere, lazily
        for name, line in imports(path):
            if room(name) != package or "." not in name:
                continue
            there = room(name.removeprefix(f"{package}."))
            if there in {room(here), "__version__"}:
                continue
            if there not in floors or floors[there] >= floors[room(here)]:
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {here} may not import {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("package", "folder"), NO_SIBLINGS)
def test_files_that_stand_alone_import_no_sibling(package: str, folder: str) -> None:
    allowed, wrong = NO_SIBLINGS[package, folder], []
    for path in source_files(package):
        here = module_name(package, path)
        if room(here) != folder or here == folder:
            continue
        own = room(here.removeprefix(f"{folder}."))  # of a file that is a folder, its parts
        for name, line in imports(path):
            prefix = f"{package}.{folder}."
            if name.startswith(prefix) and room(name.removeprefix(prefix)) not in allowed | {own}:
                wrong.append(f"{path.relative_to(ROOT)}:{line}: imports its sibling {name}")
    assert not wrong, "\n".join(wrong)


def test_srzoo_sees_only_the_lower_floors_of_degrade() -> None:
    wrong = []
    for path in source_files("srzoo"):
        for name, line in imports(path):
            if name.startswith("degrade.") and room(name.removeprefix("degrade.")) not in DEGRADE_FOR_SRZOO:
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {name}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", FLOORS)
def test_libraries_stay_in_their_rooms(package: str) -> None:
    wrong = []
    for path in source_files(package):
        here = module_name(package, path)
        for name, line in imports(path):
            places = LIBRARIES[package].get(room(name))
            if places is not None and not any(here == p or here.startswith(f"{p}.") for p in places):
                wrong.append(f"{path.relative_to(ROOT)}:{line}: {name} belongs in {sorted(places) or 'no file'}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", FLOORS)
def test_the_source_uses_no_unsafe_reader(package: str) -> None:
    """No pickle, eval, exec, yaml.load, cv2.imread/imwrite; torch.load only with weights_only=True."""
    wrong = []
    for path in source_files(package):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [a.name for a in node.names] + [getattr(node, "module", "") or ""]
                if any(room(n) in {"pickle", "marshal", "shelve", "dill", "cloudpickle"} for n in names):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: pickle")
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            if called in {"eval", "exec", "yaml.load", "cv2.imread", "cv2.imwrite"}:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: {called}")
            if called == "torch.load" and "weights_only=True" not in ast.unparse(node):
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: torch.load without weights_only=True")
    assert not wrong, "\n".join(wrong)


def test_torchscript_is_made_and_loaded_in_one_file_of_srzoo() -> None:
    """Degraders ask whether it is at work; nothing else names `torch.jit`."""
    allowed = {"export": {"script", "freeze", "save", "load"}, "degraders.layers": {"is_scripting", "is_tracing"}}
    wrong = []
    for path in source_files("srzoo"):
        known = allowed.get(module_name("srzoo", path), set())
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "torch.jit" and node.attr not in known:
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}: torch.jit.{node.attr}")
    assert not wrong, "\n".join(wrong)
