"""A burst: as good as a perfect tripod's mean, no ghosts, and every shot accounted for."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, degrees, radians, sin
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from degrade import codecs
from degrade.codecs import Photo
from degrade.errors import ImageError, UsageError
from degrade.functional.noise import poisson_gaussian
from degrade.functional.warp import Motion
from degrade.sources.burst import find_frames, fuse

SHOTS, HEIGHT, WIDTH = 20, 95, 130
LENS = 0.6  # pixels: with the pixel's square 50 % at 0.28 cycles per pixel
MARGIN = 9  # pixels that not every shot covers


@dataclass(frozen=True, eq=False)
class Simulated:
    truth: np.ndarray
    shots: list[np.ndarray]
    perfect: list[np.ndarray]
    motions: list[Motion]


def render(scene: np.ndarray, motion: Motion) -> np.ndarray:
    """The scene, twice as fine, seen by a moved and turned camera whose pixels integrate over 3 x 3 points."""
    y = (np.arange(HEIGHT * 3)[:, None] + 0.5) / 3 - HEIGHT / 2 - motion.y
    x = (np.arange(WIDTH * 3) + 0.5) / 3 - WIDTH / 2 - motion.x
    v, u = cos(motion.angle) * y - sin(motion.angle) * x, sin(motion.angle) * y + cos(motion.angle) * x
    places = np.stack([2 * v + (scene.shape[0] - 1) / 2, 2 * u + (scene.shape[1] - 1) / 2])
    planes = [ndimage.map_coordinates(scene[..., c], places, prefilter=False) for c in range(scene.shape[2])]
    fine = np.stack(planes, axis=-1)
    return np.clip(fine.reshape(HEIGHT, 3, WIDTH, 3, -1).mean(axis=(1, 3)), 0, 1)


def levels(picture: np.ndarray) -> np.ndarray:
    return np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)


def simulate(scene: np.ndarray, noises: list[np.ndarray], seed: int = 0) -> Simulated:
    rng = np.random.default_rng(seed)
    fine = np.stack(
        [ndimage.spline_filter(ndimage.gaussian_filter(scene[..., c], 2 * LENS)) for c in range(scene.shape[2])], -1
    )
    motions = [Motion()]
    for _ in range(SHOTS - 1):
        motions.append(Motion(*rng.uniform(-4, 4, 2), radians(rng.uniform(-1, 1))))
    truth = render(fine, Motion())
    shots = [levels(render(fine, motion) + noise) for motion, noise in zip(motions, noises, strict=True)]
    return Simulated(truth, shots, [levels(truth + noise) for noise in noises], motions)


def camera_noise(channels: int = 3) -> list[np.ndarray]:
    gray = np.full((HEIGHT, WIDTH, channels), 0.5, np.float32)
    return [poisson_gaussian(gray, 600.0, 0.01, (2 * k, 2 * k + 1)).astype(float) - 0.5 for k in range(SHOTS)]


def real_noise(folder: Path) -> list[np.ndarray]:
    """Differences of noisy and clean crops, another for each shot, scaled to 6 levels of 255."""
    files = sorted((folder / "noisy_clean" / "polyu" / "noisy").iterdir())[:: 72 // SHOTS][:SHOTS]
    found = []
    for noisy in files:
        clean = noisy.parents[1] / "clean" / noisy.name
        noise = (codecs.read(noisy).pixels.astype(float) - codecs.read(clean).pixels) / 255
        noise = noise[80 : 80 + HEIGHT, 60 : 60 + WIDTH]
        noise = noise - noise.mean(axis=(0, 1))
        found.append(noise * (6 / 255 / noise.std()))
    return found


def psnr(picture: np.ndarray, truth: np.ndarray, where: np.ndarray | None = None) -> float:
    error = np.square(picture - truth)
    error = error[MARGIN:-MARGIN, MARGIN:-MARGIN] if where is None else error[where]
    return float(-10 * np.log10(error.mean()))


def clean(shots: list[np.ndarray]) -> np.ndarray:
    return fuse([Photo(shot) for shot in shots], depth=16).pixels / 65535


def ideal(burst: Simulated) -> np.ndarray:
    return np.mean(burst.perfect, axis=0) / 255


def with_disc(burst: Simulated, value: float, added: bool = False) -> tuple[list[np.ndarray], np.ndarray]:
    """The shots with a disc that moves through 6 of them; and where it was, on the reference."""
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    shots, track = list(burst.shots), np.zeros((HEIGHT, WIDTH), bool)
    for step, k in enumerate(range(4, 10)):
        v, u, motion = 4.0 * (-1) ** step, 16.0 * (step - 2.5), burst.motions[k]
        y = v * cos(motion.angle) + u * sin(motion.angle) + motion.y + (HEIGHT - 1) / 2
        x = u * cos(motion.angle) - v * sin(motion.angle) + motion.x + (WIDTH - 1) / 2
        opaque = np.clip((10 - np.hypot(rows - y, columns - x)) / 1.5 + 0.5, 0, 1)[:, :, None]
        shot = burst.shots[k] / 255
        shots[k] = levels(shot + value * opaque if added else shot * (1 - opaque) + value * opaque)
        track |= np.hypot(rows - v - (HEIGHT - 1) / 2, columns - u - (WIDTH - 1) / 2) < 15
    return shots, track


@pytest.fixture(scope="module")
def scene() -> np.ndarray:
    from skimage import data

    return data.astronaut()[20:230, 60:350].astype(float) / 255


@pytest.fixture(scope="module")
def burst(scene) -> Simulated:
    return simulate(scene, camera_noise())


@pytest.fixture(scope="module")
def fused(burst) -> np.ndarray:
    return clean(burst.shots)


def test_a_hand_held_burst_comes_within_half_a_decibel_of_a_perfect_tripod(burst, fused) -> None:
    assert psnr(fused, burst.truth) > psnr(ideal(burst), burst.truth) - 0.5
    assert psnr(fused, burst.truth) > psnr(burst.shots[0] / 255, burst.truth) + 11  # of the 13 that 20 shots can give


def test_shots_that_did_not_move_come_out_like_their_plain_mean(burst) -> None:
    fused = clean(burst.perfect)
    assert psnr(fused, burst.truth) > psnr(ideal(burst), burst.truth) - 0.1
    assert np.abs(fused - ideal(burst)).mean() < 0.5 / 255


@pytest.mark.parametrize(("value", "added"), [(0.98, False), (0.02, False), (0.06, True)])
def test_what_moves_through_some_shots_leaves_no_ghost(burst, fused, value, added) -> None:
    """Opaque bright and dark discs, and one that only brightens by 15 levels, 2.5 times the noise."""
    shots, track = with_disc(burst, value, added)
    assert psnr(clean(shots), burst.truth, track) > psnr(fused, burst.truth, track) - 0.5
    if not added:
        assert psnr(np.mean(shots, axis=0) / 255, burst.truth, track) < 27  # the test would see a ghost


def test_the_motions_are_found_and_reported(burst) -> None:
    report = fuse([Photo(shot) for shot in burst.shots]).report
    assert report.reference == "frame 0"
    for frame, motion in zip(report.frames, burst.motions, strict=True):
        assert abs(frame.y - motion.y) < 0.1
        assert abs(frame.x - motion.x) < 0.1
        assert abs(frame.angle - degrees(motion.angle)) < 0.1
        assert frame.scale == 1
        assert frame.agreement > 0.9
        assert 0.85 < frame.covered <= 1
        assert frame.rejected < 0.1
    assert report.frames[0].covered == 1
    assert 3 < report.noise_8bit < 12


def test_a_moving_thing_shows_in_the_share_that_was_left_out(burst) -> None:
    shots, _ = with_disc(burst, 0.98)
    frames = fuse([Photo(shot) for shot in shots]).report.frames
    disc = np.pi * 10**2 / (HEIGHT * WIDTH)
    assert all(frames[k].rejected > 0.9 * disc for k in range(4, 10))
    assert all(frames[k].rejected < 0.9 * disc for k in (*range(4), *range(10, SHOTS)))


def test_real_noise_of_cameras_does_not_change_that(scene, sr_data) -> None:
    burst = simulate(scene, real_noise(sr_data), seed=1)
    fused = clean(burst.shots)
    assert psnr(fused, burst.truth) > psnr(ideal(burst), burst.truth) - 0.5
    shots, track = with_disc(burst, 0.02)
    assert psnr(clean(shots), burst.truth, track) > psnr(fused, burst.truth, track) - 0.5


def test_gray_and_sixteen_bit_shots_are_fused_as_they_are(scene) -> None:
    burst = simulate(scene.mean(axis=2, keepdims=True), camera_noise(channels=1))
    deep = [Photo((shot * np.uint16(257)).astype(np.uint16)) for shot in burst.shots]
    from_deep = fuse(deep, depth=8).pixels
    assert from_deep.shape == (HEIGHT, WIDTH, 1)
    assert from_deep.dtype == np.uint8
    from_shallow = fuse([Photo(shot) for shot in burst.shots]).pixels
    assert np.abs(from_deep.astype(int) - from_shallow).max() <= 1  # 257 levels to one: equal but for rounding
    assert psnr(from_deep / 255, burst.truth) > psnr(ideal(burst), burst.truth) - 0.6  # rounded to 8 bits


def test_strips_make_no_difference(burst, monkeypatch) -> None:
    whole = fuse([Photo(shot) for shot in burst.shots]).pixels
    monkeypatch.setattr("degrade.sources.burst._STRIP_BYTES", 1)
    in_strips = fuse([Photo(shot) for shot in burst.shots]).pixels
    assert np.abs(whole.astype(int) - in_strips).max() <= 1  # the recursive filter begins elsewhere
    assert (whole == in_strips).mean() > 0.999


def test_the_reference_is_chosen_by_name_or_sharpness(burst, tmp_path) -> None:
    blurred = [levels(ndimage.gaussian_filter(shot / 255, (2, 2, 0))) for shot in burst.shots]
    frames = [*blurred[:2], burst.shots[2], *blurred[3:5]]
    for k, frame in enumerate(frames):
        codecs.write(tmp_path / f"{k}.png", Photo(frame))
    assert Path(fuse(find_frames(tmp_path), reference="sharpest").report.reference).name == "2.png"
    report = fuse(find_frames(tmp_path), reference="3.png", rotation=False).report
    assert Path(report.reference).name == "3.png"
    assert (report.frames[3].y, report.frames[3].x, report.frames[3].covered) == (0, 0, 1)
    assert all(frame.angle == 0 for frame in report.frames)
    with pytest.raises(UsageError, match=r"5\.png: no shot that can be read has this name"):
        fuse(find_frames(tmp_path), reference="5.png")


def test_two_shots_are_enough_and_the_first_decides_where_they_differ(burst) -> None:
    first, second = burst.perfect[0], burst.perfect[1].copy()
    second[30:50, 40:70] = 255
    fused = fuse([Photo(first), Photo(second)]).pixels
    assert np.abs(fused[35:45, 45:65].astype(int) - first[35:45, 45:65]).max() <= 1
    assert psnr(fused / 255, burst.truth) > psnr(first / 255, burst.truth) + 2


def test_unreadable_shots_and_strangers_are_left_out_and_named(burst, tmp_path) -> None:
    from skimage import data

    for k in range(4):
        codecs.write(tmp_path / f"{k}.png", Photo(burst.shots[k]))
    codecs.write(tmp_path / "other.png", Photo(np.ascontiguousarray(data.coffee()[:HEIGHT, :WIDTH])))
    (tmp_path / "broken.png").write_bytes((tmp_path / "0.png").read_bytes()[:999])
    (tmp_path / "notes.txt").write_text("no shot")
    (tmp_path / ".hidden.png").write_text("no shot")
    report = fuse(find_frames(tmp_path)).report
    assert [Path(frame.name).name for frame in report.frames] == ["0.png", "1.png", "2.png", "3.png"]
    assert [Path(error.subject).name for error in report.left_out] == ["broken.png", "other.png"]
    assert "agrees with" in report.left_out[1].problem


def test_a_shot_of_another_size_is_named(burst, tmp_path) -> None:
    codecs.write(tmp_path / "a.png", Photo(burst.shots[0]))
    codecs.write(tmp_path / "b.png", Photo(np.ascontiguousarray(burst.shots[1][:-1])))
    with pytest.raises(ImageError, match=r"b\.png: 130 x 94 pixels, 3 channels; a\.png has 130 x 95, 3 - "):
        fuse(find_frames(tmp_path))


def test_one_picture_is_no_burst(burst, tmp_path) -> None:
    codecs.write(tmp_path / "a.png", Photo(burst.shots[0]))
    with pytest.raises(UsageError, match="1 images in there"):
        find_frames(tmp_path)
    with pytest.raises(UsageError, match="1 of 1 shots can be read"):
        fuse([Photo(burst.shots[0])])
    with pytest.raises(UsageError, match="not a folder"):
        find_frames(tmp_path / "a.png")
