"""`srzoo kernel` as a user meets it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from degrade import assets, codecs
from srzoo.cli import main
from srzoo.kernelgan import pool as pools

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _work_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a.png", "b.png"):
        codecs.write(Path(name), codecs.Photo(RNG.integers(0, 256, (70, 80, 3), np.uint8)))


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Estimation in no time; the number of steps of every call."""
    seen: list[int] = []

    def estimate(pixels, *, steps, seed, advance):
        seen.append(steps)
        for _ in range(steps):
            advance()
        rows, columns = np.indices((13, 13)) - 6
        return np.exp(-(rows**2 / 4 + columns**2) / 2).astype(np.float32)

    monkeypatch.setattr(pools, "estimate", estimate)
    return seen


def kernels() -> np.ndarray:
    return assets.pool(assets.register(Path("pool.npz"))).kernels


def test_two_photos_become_a_pool(told: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["kernel", "a.png", "b.png", "-o", "pool.npz", "--steps", "7"]) == 0
    assert kernels().shape == (2, 17, 17)
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert re.fullmatch(r"a.png: sigma 1.76 x 0.89 at 90 degrees \(\d+ s\)", lines[0])
    assert lines[2] == "pool: pool.npz, 2 kernels"
    assert said.err == ""
    assert told == [7, 7]


def test_the_same_command_goes_on(told: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["kernel", "a.png", "-o", "pool.npz"]) == 0
    assert main.run(["kernel", "a.png", "b.png", "-o", "pool.npz"]) == 0
    assert "1 of 2 kernels are there already\n" in capsys.readouterr().err
    assert len(told) == len(kernels()) == 2
    assert main.run(["kernel", "a.png", "-o", "pool.npz", "--seed", "1"]) == 2
    assert "pool.npz: was made with seed 0 - use the same settings" in capsys.readouterr().err
    assert main.run(["kernel", "a.png", "-o", "pool.npz", "--seed", "1", "--force"]) == 0
    assert len(kernels()) == 1


def test_ctrl_c_keeps_what_is_done(monkeypatch: pytest.MonkeyPatch, told: list[int], capsys) -> None:
    quick = pools.estimate

    def stopped_at_the_second(pixels, **settings):
        if told:
            raise main.Terminated
        return quick(pixels, **settings)

    monkeypatch.setattr(pools, "estimate", stopped_at_the_second)
    assert main.run(["kernel", "a.png", "b.png", "-o", "pool.npz"]) == 143
    assert "srzoo: stopped: 1 kernels in pool.npz; the same command goes on\n" in capsys.readouterr().err
    assert len(kernels()) == 1


def test_what_is_no_photo_is_left_out(told: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    Path("broken.png").write_bytes(b"no picture")
    assert main.run(["kernel", "a.png", "broken.png", "-o", "pool.npz"]) == 3
    said = capsys.readouterr().err
    assert "srzoo: left out: broken.png: " in said
    assert "srzoo: error: 1 photos: left out, see above - mend or remove them" in said
    assert len(kernels()) == 1
    assert main.run(["kernel", "broken.png", "-o", "none.npz"]) == 2
    assert not Path("none.npz").exists()


def test_facts_as_json_and_a_picture(told: list[int], capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["kernel", "a.png", "-o", "pool.npz", "--scale", "4", "--plot", "kernels.png", "--json"]
    assert main.run(arguments) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["name"] == "a.png"
    assert facts["degrees"] == 90
    assert codecs.read(Path("kernels.png")).pixels.shape[:2] == (33 * 8 + 16, 33 * 8 + 16)
    assert main.run(arguments) == 2
    assert "kernels.png: is there already - overwrite with --force" in capsys.readouterr().err
