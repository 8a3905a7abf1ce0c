from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from srzoo.data import Batch, Batches, DataConfig, Group, SampleOrder, check_batch
from srzoo.data.augment import draw, oriented, stream_key
from srzoo.errors import PresetError

SCALE = 2


@dataclass
class Drawn:
    """Twelve pairs of random pixels, LR 6 x 8."""

    lr_size: tuple[int, int] = (6, 8)
    sizes: tuple[int, ...] = (5, 7)
    dtype: type = np.uint8
    read_numbers: list[int] = field(default_factory=list)

    def read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        self.read_numbers.append(index)
        generator = np.random.Generator(np.random.PCG64(index))
        lr = generator.integers(0, 256, (6, 8, 3), dtype=np.uint8)
        return lr, lr.repeat(SCALE, axis=0).repeat(SCALE, axis=1)


TRAIN = np.array([0, 2, 3, 5, 7, 8, 9, 11])


def batches(pairs: Drawn, **changes: int) -> Batches:
    order = SampleOrder([Group(TRAIN, pairs.sizes)], seed=3)
    return Batches(pairs, order, DataConfig(patch=8, batch=4), scale=SCALE, seed=3, **changes)


def test_every_epoch_takes_each_training_pair_once_and_no_other() -> None:
    stream = list(batches(Drawn()).stream(1, 6, workers=0))
    numbers = [number for batch in stream for number in batch.pairs]
    for epoch in range(3):
        assert sorted(numbers[8 * epoch : 8 * epoch + 8]) == sorted(TRAIN)
    assert numbers[:8] != numbers[8:16]


def test_crops_and_turns_are_those_of_numpy() -> None:
    pairs = Drawn()
    loader = batches(pairs)
    batch = loader.at(2)
    assert batch.lr.shape == (4, 4, 4, 3)
    assert batch.hr.shape == (4, 8, 8, 3)
    for row, number in enumerate(batch.pairs):
        lr, _ = pairs.read(number)
        place = draw(stream_key(3, 0), 4 + row, rows=3, columns=5)
        expected = lr[place.y : place.y + 4, place.x : place.x + 4]
        np.testing.assert_array_equal(batch.lr[row], oriented(expected, place.orientation))
        # each HR patch is its LR patch with every pixel doubled, so the pair stays registered through every turn
        np.testing.assert_array_equal(batch.hr[row], batch.lr[row].repeat(2, axis=0).repeat(2, axis=1))


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_workers_change_nothing(workers: int) -> None:
    alone, together = batches(Drawn()).stream(1, 12, workers=0), batches(Drawn()).stream(1, 12, workers=workers)
    for one, other in zip(alone, together, strict=True):
        assert one.pairs == other.pairs
        np.testing.assert_array_equal(one.lr, other.lr)
        np.testing.assert_array_equal(one.hr, other.hr)


def test_going_on_at_any_step_gives_the_batches_that_would_have_come() -> None:
    whole = [batch.lr.tobytes() for batch in batches(Drawn()).stream(1, 10)]
    for first in range(1, 11):
        assert [batch.lr.tobytes() for batch in batches(Drawn()).stream(first, 10)] == whole[first - 1 :]


def test_ranks_share_one_global_batch() -> None:
    whole = batches(Drawn()).at(5)
    parts = [batches(Drawn(), rank=rank, world=2).at(5) for rank in range(2)]
    assert parts[0].pairs + parts[1].pairs == whole.pairs
    np.testing.assert_array_equal(np.concatenate([part.hr for part in parts]), whole.hr)


def test_a_stream_left_early_makes_few_batches_ahead_and_ends_its_threads() -> None:
    pairs = Drawn()
    stream = batches(pairs).stream(1, 1000, workers=1)
    next(stream)
    stream.close()
    assert len(pairs.read_numbers) <= 4 * 5


def test_an_error_while_reading_reaches_the_loop() -> None:
    class Broken(Drawn):
        def read(self, index: int) -> tuple[np.ndarray, np.ndarray]:
            raise OSError("row 3 is damaged")

    with pytest.raises(OSError, match="row 3"):
        next(batches(Broken()).stream(1, 4, workers=2))


@pytest.mark.parametrize("patch", [7, 14, 16])
def test_a_patch_that_does_not_fit_is_refused_with_the_largest_that_does(patch: int) -> None:
    with pytest.raises(PresetError, match="up to 12"):
        Batches(Drawn(), SampleOrder([Group(TRAIN, (5, 7))], seed=0), DataConfig(patch, 4), scale=SCALE, seed=0)


def test_a_batch_that_ranks_cannot_share_is_refused() -> None:
    with pytest.raises(PresetError, match="3 processes"):
        batches(Drawn(), world=3)


def test_a_batch_is_shared_by_processes_and_their_parts_evenly_or_not_at_all() -> None:
    assert check_batch(DataConfig(patch=8, batch=12, accumulate=3), world=2) == 6
    with pytest.raises(PresetError, match=r"12 pairs over 2 processes of 4 parts - use a multiple of 8"):
        check_batch(DataConfig(patch=8, batch=12, accumulate=4), world=2)
    with pytest.raises(PresetError, match=r"12 pairs over 5 parts - use a multiple of 5"):
        check_batch(DataConfig(patch=8, batch=12, accumulate=5), world=1)


def test_the_parts_of_a_batch_are_its_rows_in_order() -> None:
    batch = Batch(torch.arange(6.0).reshape(6, 1, 1, 1), torch.arange(6.0).reshape(6, 1, 1, 1), tuple(range(6)))
    parts = batch.in_parts(3)
    assert [part.pairs for part in parts] == [(0, 1), (2, 3), (4, 5)]
    assert [part.hr.flatten().tolist() for part in parts if part.hr is not None] == [[0, 1], [2, 3], [4, 5]]
    assert parts[0].real_lr is None
    assert batch.in_parts(1) == [batch]


@pytest.mark.parametrize(("dtype", "white"), [(np.uint8, 255), (np.uint16, 65535)])
def test_tensors_are_channels_first_in_unit_range_and_channels_last_in_memory(dtype: type, white: int) -> None:
    from srzoo.data.batch import PixelBatch

    lr = np.array([0, white, 51], dtype).repeat(12)[:24].reshape(2, 2, 2, 3)
    batch = Batch.of(PixelBatch(lr, lr, (4, 2)), torch.device("cpu"))
    assert batch.lr is not None
    assert batch.lr.shape == (2, 3, 2, 2)
    assert batch.lr.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(batch.lr, torch.from_numpy(lr.astype(np.float32)).permute(0, 3, 1, 2) / white)
    assert batch.pairs == (4, 2)
