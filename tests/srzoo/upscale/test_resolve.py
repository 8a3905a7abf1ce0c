"""Which model file a name means."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from srzoo.errors import UsageError
from srzoo.upscale import resolve
from srzoo.upscale.resolve import LR_ROLES, resolve_model


def make(path: Path, *, written: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    os.utime(path, (written, written))
    return path


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with a model shipped elsewhere."""
    shipped = make(tmp_path / "package" / "4x-compact.safetensors")
    monkeypatch.setattr(resolve, "shipped_models", lambda: [shipped])
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return Path("runs")


def test_without_a_name_the_run_written_last_is_taken(runs: Path) -> None:
    make(runs / "b" / "generator.safetensors", written=200)
    newest = make(runs / "a" / "generator.safetensors", written=300)
    make(runs / "c" / "h2l.safetensors", written=400)  # makes LR
    (runs / "d" / "state").mkdir(parents=True)  # nothing yet
    path, sentence = resolve_model()
    assert path == newest
    assert sentence == "model runs/a/generator.safetensors, the newest of 2 runs under runs/"


def test_without_a_run_the_shipped_model_is_taken(runs: Path) -> None:
    path, sentence = resolve_model()
    assert path.name == "4x-compact.safetensors"
    assert sentence == "model 4x-compact, shipped with srzoo (no run under runs/)"


def test_without_anything_the_line_says_what_to_give(runs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "shipped_models", list)
    with pytest.raises(UsageError, match=r"no run under runs/.* - give a .* file or a run"):
        resolve_model()


@pytest.mark.parametrize("name", ["runs/x", "x", "runs/x/", "runs/x/generator.safetensors", "x:generator"])
def test_a_run_by_folder_name_or_file(runs: Path, name: str) -> None:
    wanted = make(runs / "x" / "generator.safetensors")
    assert resolve_model(name)[0] == wanted


@pytest.mark.parametrize("name", ["4x-compact", "compact"])
def test_a_shipped_model_by_either_name(runs: Path, name: str) -> None:
    assert resolve_model(name)[0].name == "4x-compact.safetensors"


def test_a_run_hides_a_shipped_model_of_its_name(runs: Path) -> None:
    wanted = make(runs / "compact" / "generator.safetensors")
    assert resolve_model("compact")[0] == wanted


def test_of_a_run_with_several_products_the_one_that_is_meant_is_taken(runs: Path) -> None:
    h2l, l2h = (make(runs / "x" / f"{role}.safetensors") for role in ("h2l", "l2h"))
    assert resolve_model("x")[0] == l2h
    assert resolve_model()[0] == l2h
    assert resolve_model("x", roles=LR_ROLES)[0] == h2l
    assert resolve_model("x:h2l")[0] == h2l
    with pytest.raises(UsageError, match="has no 'l2x' - did you mean 'l2h'"):
        resolve_model("x:l2x")


def test_of_products_that_no_one_meant_one_is_asked_for(runs: Path) -> None:
    one, _ = (make(runs / "x" / f"{role}.safetensors") for role in ("back", "forth"))
    with pytest.raises(UsageError, match=r"has back, forth - say which, e\.g\. runs/x:back"):
        resolve_model("x")
    assert resolve_model("runs/x:back")[0] == one


def test_a_run_without_a_model_says_so(runs: Path) -> None:
    (runs / "x").mkdir(parents=True)
    with pytest.raises(UsageError, match="has no model yet"):
        resolve_model("x")


def test_unknown_names_get_the_nearest(runs: Path) -> None:
    make(runs / "my-run" / "generator.safetensors")
    with pytest.raises(UsageError, match="did you mean 'my-run'"):
        resolve_model("my_run")
    with pytest.raises(UsageError, match="did you mean '4x-compact'"):
        resolve_model("4x-compcat")
    with pytest.raises(UsageError, match="check the path"):
        resolve_model("elsewhere/my-run")


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".ckpt", ".bin", ".safetensors"])
def test_a_public_checkpoint_is_a_file_like_any_other(runs: Path, suffix: str) -> None:
    checkpoint = make(Path(f"net{suffix}"))
    assert resolve_model(str(checkpoint)) == (checkpoint, f"model net{suffix}")
    with pytest.raises(UsageError, match="no such file or folder"):
        resolve_model(f"other{suffix}")


def test_resolving_and_planning_load_no_torch() -> None:
    code = "import sys, srzoo.upscale.resolve, srzoo.upscale.files; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
