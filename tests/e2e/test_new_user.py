"""What a new user types, in an empty folder, in that order, as the help texts write it."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from degrade import codecs

BIN = Path(sys.executable).parent
PATIENCE = 300  # seconds for one command on a busy machine


def run(folder: Path, *words: str, code: int = 0) -> subprocess.CompletedProcess[str]:
    command = [str(BIN / words[0]), *words[1:]]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done


def stop_after_a_step(folder: Path, *words: str) -> str:
    """Start a training, send Ctrl-C once it has taken a step, and give what it said."""
    log = folder / "said.txt"
    with log.open("w") as file:
        process = subprocess.Popen([str(BIN / words[0]), *words[1:]], cwd=folder, stdout=file, stderr=file)
        end = time.monotonic() + PATIENCE
        while "step " not in log.read_text() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.5)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        code = process.wait(PATIENCE)
    assert code == 130, log.read_text()
    return log.read_text()


def a_photo(folder: Path, height: int = 40, width: int = 56) -> Path:
    """A small JPEG with edges and texture."""
    from degrade.functional.dead_leaves import render

    path = folder / "img.jpg"
    codecs.write(path, codecs.Photo(pixels=render(height, width, 7)))
    return path


@pytest.mark.slow
def test_synth_train_stop_train_upscale(tmp_path: Path) -> None:
    made = run(tmp_path, "degrade", "synth", "--recipe", "generic", "--out", "shards/", "--pairs", "96")
    assert "96 pairs" in made.stdout + made.stderr

    first = stop_after_a_step(tmp_path, "srzoo", "train")
    stopped = re.search(r"stopped at step (\d+) of \d+, saved", first)
    assert stopped, first
    second = stop_after_a_step(tmp_path, "srzoo", "train")
    assert f"going on from step {stopped[1]} of" in second

    a_photo(tmp_path)
    said = run(tmp_path, "srzoo", "upscale", "img.jpg")
    assert "compact-x4" in said.stdout + said.stderr  # says which model it took
    assert codecs.read(tmp_path / "img_x4.png").pixels.shape == (160, 224, 3)


def test_upscale_alone_takes_the_shipped_model(tmp_path: Path) -> None:
    photo = codecs.read(a_photo(tmp_path))
    said = run(tmp_path, "srzoo", "upscale", "img.jpg")
    assert "4x-compact" in said.stdout + said.stderr
    large = codecs.read(tmp_path / "img_x4.png").pixels
    assert large.shape == (160, 224, 3)
    small_again = large.reshape(40, 4, 56, 4, 3).mean((1, 3))
    assert np.abs(small_again - photo.pixels).mean() < 12  # it is that picture

    refused = run(tmp_path, "srzoo", "upscale", "img.jpg", code=2)
    assert "--force" in refused.stderr


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (2, "degrade synth nowhere"),
        (2, "degrade synth empty"),
        (2, "degrade synth --recipe generc"),
        (3, "degrade apply page.png -o lr"),
        (3, "degrade inspect page.png"),
        (2, "degrade syntth"),
        (2, "srzoo train --shards empty"),
        (2, "srzoo train compcat-x4"),
        (3, "srzoo upscale page.png"),
        (2, "srzoo upscale page.png --model nothing"),
        (2, "srzoo evaluate --model bicubic --hr empty"),
    ],
)
def test_what_is_wrong_is_said_on_one_line_with_a_cure(tmp_path: Path, code: int, line: str) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "page.png").write_text("<html>")
    words = line.split()
    last = run(tmp_path, *words, code=code).stderr.strip().splitlines()[-1]
    assert last.startswith(f"{words[0]}: error: "), last
    assert " - " in last
    assert len(last) <= 200
