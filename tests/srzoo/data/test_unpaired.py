from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from degrade.shards.reader import open_shards
from degrade.sources.load import load
from srzoo.data.unpaired import Patches, Photos, RealCrops, large_enough, open_real_lr
from srzoo.errors import UsageError

SIDE = 8


def save(path: Path, number: int, size: tuple[int, int] = (20, 30)) -> Path:
    """A photograph whose pixels say where they are: number, y, x."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = size
    rows, columns = np.mgrid[:height, :width]
    Image.fromarray(np.stack((np.full_like(rows, number), rows, columns), 2).astype(np.uint8)).save(path)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five photographs of different sizes."""
    for number in range(5):
        save(tmp_path / "photos" / f"{number}.png", number, (20 + number, 30 - number))
    return tmp_path / "photos"


def crops(folder: Path, **changes: object) -> RealCrops:
    return RealCrops(open_real_lr([folder]), **{"side": SIDE, "seed": 3, **changes})  # type: ignore[arg-type]


def test_a_crop_is_a_part_of_a_photograph(folder: Path) -> None:
    plain = crops(folder, augment=False)
    for sample in range(300):
        crop = plain.at(sample)
        number, y, x = (int(value) for value in crop[0, 0])
        with Image.open(folder / f"{number}.png") as photo:
            np.testing.assert_array_equal(crop, np.asarray(photo)[y : y + SIDE, x : x + SIDE])


def test_every_photograph_is_visited_alike_and_places_and_turns_vary(folder: Path) -> None:
    turned = crops(folder)
    seen = [turned.at(sample) for sample in range(5 * 8 * 16)]  # whole epochs in whole windows
    assert Counter(int(crop[0, 0, 0]) for crop in seen) == dict.fromkeys(range(5), 128)
    corners = {(int(crop[..., 1].min()), int(crop[..., 2].min())) for crop in seen}
    assert len(corners) > 150  # of 13 x 23 to 17 x 19 places
    orientations = {(crop[0, 0, 1] > crop[-1, 0, 1], crop[0, 0, 2] > crop[0, -1, 2]) for crop in seen}
    assert len(orientations) == 4
    assert {bool((crop[0, 0, 1] == crop[-1, 0, 1]).all()) for crop in seen} == {False, True}  # rows and columns swapped


def test_neighbours_come_from_many_photographs(tmp_path: Path) -> None:
    for number in range(24):
        save(tmp_path / "many" / f"{number:02}.png", number)
    many = crops(tmp_path / "many")
    batches = [{int(many.at(16 * k + row)[0, 0, 0]) for row in range(16)} for k in range(8)]
    assert min(len(photos) for photos in batches) >= 5


def test_few_photographs_are_decoded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    monkeypatch.setattr("srzoo.data.unpaired.load", lambda source: (read.append(source.path), load(source))[1])
    one = crops(folder)
    for sample in range(256):
        one.at(sample)
    assert len(read) == 256 // 16


def test_any_crop_can_be_asked_for_in_any_order_by_several_threads(folder: Path) -> None:
    in_order, backwards, threaded = crops(folder), crops(folder), crops(folder)
    expected = [in_order.at(sample).tobytes() for sample in range(700)]  # more visits than are kept
    assert [backwards.at(sample).tobytes() for sample in reversed(range(700))] == expected[::-1]
    with ThreadPoolExecutor(4) as pool:
        assert [crop.tobytes() for crop in pool.map(threaded.at, range(700))] == expected


def test_seed_and_stage_give_other_crops(folder: Path) -> None:
    kinds = [crops(folder), crops(folder, seed=4), crops(folder, stage=1)]
    assert len({b"".join(kind.at(sample).tobytes() for sample in range(4)) for kind in kinds}) == 3


def test_names_and_places_of_files_do_not_matter_but_their_content_does(folder: Path, tmp_path: Path) -> None:
    before, digest = crops(folder).at(5), open_real_lr([folder]).digest
    moved = folder.rename(tmp_path / "elsewhere")
    (moved / "0.png").rename(moved / "z.png")
    np.testing.assert_array_equal(crops(moved).at(5), before)
    assert open_real_lr([moved]).digest == digest
    save(moved / "z.png", 99)
    assert open_real_lr([moved]).digest != digest


def test_photographs_too_small_for_a_crop_take_no_part(folder: Path) -> None:
    save(folder / "small.png", 77, (SIDE - 1, 40))
    kept = crops(folder)
    assert all(kept.at(sample)[0, 0, 0] != 77 for sample in range(16 * 12))
    with pytest.raises(UsageError, match=r"none of 6 pictures holds a crop of 31 x 31 - give larger ones"):
        large_enough(open_real_lr([folder]), 31)


def test_gray_photographs_become_three_equal_channels(tmp_path: Path) -> None:
    (tmp_path / "gray").mkdir()
    Image.fromarray(np.arange(400, dtype=np.uint8).reshape(20, 20)).save(tmp_path / "gray" / "one.png")
    crop = crops(tmp_path / "gray").at(0)
    assert crop.shape == (SIDE, SIDE, 3)
    assert (crop == crop[..., :1]).all()


def test_shards_give_their_lr_once_an_epoch(tmp_path: Path, shard_writer: Callable[..., Path]) -> None:
    shards = shard_writer(tmp_path / "shards")
    real = open_real_lr([shards])
    assert isinstance(real, Patches)
    assert (real.digest, len(real)) == (open_shards(shards).digest, 24)
    cut = RealCrops(real, side=8, seed=0, augment=False)
    lr = {open_shards(shards).read(number)[0].tobytes() for number in range(24)}
    assert {cut.at(sample).tobytes() for sample in range(24)} == lr


def test_what_cannot_be_read_as_one_kind_is_refused(
    folder: Path, tmp_path: Path, shard_writer: Callable[..., Path]
) -> None:
    assert isinstance(open_real_lr([folder]), Photos)
    with pytest.raises(UsageError, match="photographs and shards together - give one kind"):
        open_real_lr([folder, shard_writer(tmp_path / "shards")])
    with pytest.raises(UsageError, match=r"real_lr: .*nowhere: no photograph here \(not there"):
        open_real_lr([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="no photograph here - give folders"):
        open_real_lr([tmp_path / "empty"])
