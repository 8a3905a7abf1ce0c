"""The degraders that come with degrade: small, trusted as they are, and with trained weights the same in tiles."""

from __future__ import annotations

import hashlib
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from degrade.assets import ModelFile, register
from degrade.card import read_card
from degrade.ops.learned import Learned, LearnedDraw, op
from degrade.ops.protocol import Context
from degrade.rng import Stream
from degrade.trust import VARIABLE, admit

FOLDER = Path(str(resources.files("degrade"))) / "models"
MODELS = sorted(path.stem for path in FOLDER.glob("*.pt"))
everyone = pytest.mark.parametrize("name", MODELS)


@pytest.fixture(autouse=True)
def no_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who trusts nothing yet."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "trusted"))


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """(120, 152, 3) float32, [0, 1]: edges and flat areas."""
    y, x = np.mgrid[:120, :152]
    discs = np.hypot(y % 40 - 20, x % 38 - 19) < 14
    levels = np.random.default_rng(0).random((3, 4, 3), np.float32)[y // 40, x // 38]
    return np.where(discs[..., None], levels, np.float32(0.5)).astype(np.float32)


def draw_of(name: str) -> LearnedDraw:
    path = FOLDER / f"{name}.pt"
    (draw,) = Learned(ModelFile(name, register(path)), read_card(path).scale).draw(Stream(5, 0).step("a"), "a")
    return draw


def test_the_list_and_the_page_name_every_model() -> None:
    assert MODELS == ["dml-small", "h2l-small"]
    listed = dict(line.split()[::-1] for line in (FOLDER / "TRUSTED").read_text().splitlines())
    assert listed == {f"{name}.pt": hashlib.sha256((FOLDER / f"{name}.pt").read_bytes()).hexdigest() for name in MODELS}
    page = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"## `{name}.pt`" in page for name in MODELS)


@everyone
def test_it_is_small_passes_the_gate_and_says_whose_photographs_it_saw(name: str) -> None:
    path = FOLDER / f"{name}.pt"
    assert path.stat().st_size < 1.5e6
    card = admit(path).card
    assert card.name == name
    assert "photographs" in (card.licence or "")
    assert card.trained_on


@everyone
def test_in_tiles_it_is_the_whole_to_a_grey_level(
    name: str, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = draw_of(name)
    whole = draw.apply(photo, Context())
    scale = photo.shape[0] // whole.shape[0]
    assert np.abs(whole - photo[::scale, ::scale]).max() > 0.02  # it does something
    monkeypatch.setattr(op, "TILE_SIDE", 32)
    tiled = draw.apply(photo, Context())
    assert np.abs(np.rint(255 * tiled) - np.rint(255 * whole)).max() <= 1


@everyone
def test_it_repeats_to_the_bit(name: str, photo: np.ndarray) -> None:
    np.testing.assert_array_equal(draw_of(name).apply(photo, Context()), draw_of(name).apply(photo, Context()))
