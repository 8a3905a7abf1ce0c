"""`degrade inspect x.pt`: a card that fits a screen, and the picture of the kernels a degrader mixes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from degrade.cli.degraders import _middle
from degrade.errors import UsageError
from degrade.report import kernels

PRESET = 'name = "dml-mine"\nsource = "a test"\n\n[data]\npatch = 64\n'


class Mixes(nn.Module):
    """Blocks of two pixels decide between a point and a box."""

    def __init__(self) -> None:
        super().__init__()
        point = torch.zeros(1, 1, 3, 3)
        point[..., 1, 1] = 1
        self.basis = nn.Parameter(torch.cat([point, torch.full_like(point, 1 / 9)]))
        self.block, self.weigh = nn.Parameter(torch.ones(1, 1, 2, 2)), nn.Conv2d(1, 2, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        plane = image[:, :1]
        coarse = F.conv_transpose2d(F.max_pool2d(plane, 2), self.block, stride=2)
        weights = torch.softmax(20 * self.weigh(coarse), 1)
        return image + (weights * F.conv2d(F.pad(plane, (1, 1, 1, 1)), self.basis)).sum(1, keepdim=True) - plane


@pytest.fixture(scope="module")
def mixes(degraders: Callable[..., Path]) -> Path:
    torch.manual_seed(2)
    facts: dict[str, Any] = {"scale": 1, "multiple": 2, "inputs": (), "receptive_field": 4, "preset": PRESET}
    return degraders(Mixes(), name="dml.pt", **facts)


def test_a_long_text_shows_its_first_line_unless_all_is_asked_for(degrade: Any, mixes: Path) -> None:
    short, full = degrade("inspect", mixes).out, degrade("inspect", mixes, "--full").out
    assert '  name = "dml-mine" ... (5 lines, --full shows them)\n' in short
    assert "[data]" not in short
    assert [line.strip() for line in full.splitlines() if "patch = 64" in line or "[data]" in line] == [
        "[data]",
        "patch = 64",
    ]
    assert "--full" not in full


def test_a_photo_is_drawn_and_no_file_overwritten(degrade: Any, mixes: Path, photos: Path, tmp_path: Path) -> None:
    command = ("inspect", mixes, "--plot", tmp_path / "a.png", "--photo", photos / "a.png")
    ran = degrade(*command)
    assert (ran.code, ran.err) == (0, "")
    assert str(tmp_path / "a.png") in ran.out
    with Image.open(tmp_path / "a.png") as sheet:
        assert sheet.width == 2 * 28 + 3 * 360 + 2 * 20
    ran = degrade(*command)
    assert (ran.code, ran.err.count("\n")) == (2, 1)
    assert degrade(*command, "--force").code == 0


def test_without_a_photo_a_synthetic_scene_is_drawn(degrade: Any, mixes: Path, tmp_path: Path) -> None:
    ran = degrade("inspect", mixes, "--plot", tmp_path / "b.png")
    assert (ran.code, ran.err) == (0, "")
    with Image.open(tmp_path / "b.png") as sheet:
        assert sheet.height > 3 * 360


def test_the_middle_of_a_photo_has_the_kernels_it_has_in_the_whole(
    degrade: Any, mixes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sides, and where it begins, are odd against the blocks of the network."""
    photo = np.random.default_rng(0).integers(0, 256, (75, 87, 3), np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    seen = []

    def spy(mixture: Any, cut: Any, positions: Any, **facts: Any) -> Any:
        seen.append((mixture.maps, cut, positions, facts["origin"]))
        return cut

    monkeypatch.setattr(kernels, "kernel_sheet", spy)
    for side in (30, 1000):
        monkeypatch.setattr(kernels, "SIDE", side)
        options = ("--photo", tmp_path / "photo.png", "--at", 30, 40, "--force")
        assert degrade("inspect", mixes, "--plot", tmp_path / "out.png", *options).code == 0
    (part, cut, [(y, x)], (top, left)), (whole, *_) = seen
    assert (y + top, x + left) == (30, 40)
    np.testing.assert_array_equal(cut, photo[top : top + 30, left : left + 30])
    np.testing.assert_allclose(part, whole[:, top : top + 30, left : left + 30], atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--plot", "out.txt"], "not a name for an image"),
        (["--photo", "photos/a.png"], "add --plot"),
        (["--plot", "out.png", "--photo", "photos/a.png", "--at", 60, 0], "y from 0 to 59, x from 0 to 71"),
        (["--plot", "out.png", "--photo", "nowhere.png"], "nowhere.png"),
    ],
)
def test_mistakes_are_one_line(
    arguments: list[Any], part: str, degrade: Any, mixes: Path, photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(photos.parent)
    ran = degrade("inspect", mixes, *arguments)
    assert ran.code in (2, 3)
    assert part in ran.err
    assert ran.err.count("\n") == 1


def test_only_degraders_are_drawn(degrade: Any, photos: Path, tmp_path: Path) -> None:
    ran = degrade("inspect", photos / "a.png", "--plot", tmp_path / "out.png")
    assert (ran.code, ran.err.count("\n")) == (2, 1)


def test_photos_smaller_than_a_block_are_refused() -> None:
    with pytest.raises(UsageError, match="smaller than 8 pixels"):
        _middle(np.zeros((7, 20, 3), np.uint8), 360, 4)
