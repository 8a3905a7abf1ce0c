"""Faults and what must come of them; the full counts are slow, a part of them runs always."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from srzoo.checkpoint import states
from srzoo.data import Batch
from srzoo.errors import DivergedError, IntegrityError, PresetError
from srzoo.trainer import stage
from srzoo.trainer.stage import StageRun
from srzoo.trainer.validation import Validator


def scaled(few: int, many: int) -> pytest.MarkDecorator:
    """`count` = few in `make test`, many in `make test-slow`."""
    return pytest.mark.parametrize("count", [few, pytest.param(many, marks=pytest.mark.slow)])


GAN = """
extends = "{below}"
name = "tiny-gan"

[networks.critic]
type = "vgg_style"
features = 4

[optimisers.critic]
networks = ["critic"]
learning_rate = 1e-3

[loss]
pixel = 0.1
adversarial = 0.005

[data]
patch = 12
"""


@pytest.fixture
def gan(lab: Any, tmp_path: Path) -> Any:
    """The lab with a critic, whose batch normalisation and second optimiser are state, too."""
    path = tmp_path / "tiny-gan.toml"
    path.write_text(GAN.format(below=lab.preset))
    lab.preset = path
    return lab


@scaled(3, 40)
def test_killed_at_any_step_a_run_ends_with_the_bits_of_an_unbroken_one(count: int, gan: Any) -> None:
    steps = 12
    settings = (f"steps={steps}", "watch.save_every=2", "watch.log_every=1")
    gan.run("whole", *settings)
    order = random.Random(7)
    for number in range(count):
        name, done = f"broken-{number}", 0
        while done < steps - 1:  # killed again and again, until it gets to the end
            done = order.randint(done + 1, steps - 1)
            assert gan.killed(name, *settings, at=kill_at(done))
        gan.run(name, *settings)
        assert gan.digest(name, steps) == gan.digest("whole", steps), f"run {number}"
        log = [json.loads(line)["step"] for line in (gan.out(name) / "log.jsonl").read_text().splitlines()]
        assert log == list(range(1, steps + 1))


def kill_at(step: int) -> Callable[[int], None]:
    return lambda now: os.kill(os.getpid(), signal.SIGKILL) if now == step else None


@scaled(4, 12)
def test_threads_that_make_batches_may_change_between_the_legs(count: int, lab: Any) -> None:
    legs = [random.Random(1).choice((0, 1, 2, 4)) for _ in range(count - 4)] + [0, 1, 2, 4]
    steps = f"steps={2 * count}"
    lab.run("whole", steps)
    for number, workers in enumerate(legs, start=1):
        lab.run("legs", steps, at=stop_at(2 * number), workers=workers)
    assert lab.digest("legs", 2 * count) == lab.digest("whole", 2 * count)


def stop_at(step: int, number: int = signal.SIGTERM) -> Callable[[int], None]:
    return lambda now: signal.raise_signal(number) if now == step else None


@scaled(8, 60)
def test_from_every_state_all_later_batches_and_the_end_are_those_of_the_unbroken_run(
    count: int, gan: Any, seen: list[tuple[tuple[int, ...], bytes]]
) -> None:
    settings = (f"steps={count}", "watch.save_every=1")
    kept = gan.root / "kept"

    def keep(step: int) -> None:  # the state of the step before is on disk
        if step > 1:
            name = f"step-{step - 1:06d}"
            shutil.copytree(gan.out("whole") / "state" / name, kept / name)

    gan.run("whole", *settings, at=keep)
    whole = list(seen)
    assert len(whole) == count
    for step in range(1, count):
        name = f"from-{step}"
        shutil.copytree(kept / f"step-{step:06d}", gan.out(name) / "state" / f"step-{step:06d}")
        seen.clear()
        gan.run(name, *settings)
        assert seen == whole[step:], f"from step {step}"
        assert gan.digest(name, count) == gan.digest("whole", count), f"from step {step}"


@scaled(3, 60)
def test_a_damaged_newest_state_is_named_and_the_one_before_is_used(count: int, lab: Any) -> None:
    settings = ("steps=6", "watch.save_every=2")
    lab.run("whole", *settings)
    lab.run("cut", *settings, at=stop_at(4))
    order = random.Random(3)
    for number in range(count):
        name = f"damaged-{number}"
        shutil.copytree(lab.out("cut"), lab.out(name))
        file = lab.out(name) / "state" / "step-000004" / order.choice(("state.safetensors", "facts.json", "meta.json"))
        data = bytearray(file.read_bytes())
        match number % 3:
            case 0:
                file.unlink()
            case 1:
                file.write_bytes(data[: order.randrange(len(data))])
            case _:
                data[order.randrange(len(data))] ^= 1 << order.randrange(8)
                file.write_bytes(data)
        lab.run(name, *settings)
        if not (lab.out(name) / "state" / "broken-step-000004").exists():
            meta = json.loads((lab.out("cut") / "state" / "step-000004" / "meta.json").read_text())
            assert file.name == "meta.json"  # a flip in the white space or the wording of meta.json can be harmless
            assert meta["step"] == 4
        else:
            assert "step-000004: broken" in lab.watcher.warnings[0]
        assert lab.digest(name, 6) == lab.digest("whole", 6), f"{file.name}, damage {number}"


@scaled(4, 20)
def test_a_disk_that_fills_up_loses_no_older_state_and_training_goes_on(
    count: int, lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ("steps=10", "watch.save_every=2", "watch.validate_every=5")
    lab.run("whole", *settings)
    real = states._write
    for number in range(count):
        calls, first = [0], number % 11  # of 15 writes, three for each of five states; the last state has room again

        def full(path: Path, data: bytes, calls: list[int] = calls, first: int = first) -> None:
            calls[0] += 1
            if first < calls[0] <= first + 2:
                path.write_bytes(data[: len(data) // 2])
                raise OSError(errno.ENOSPC, "No space left on device", str(path))
            real(path, data)

        monkeypatch.setattr(states, "_write", full)
        name = f"full-{number}"
        assert lab.run(name, *settings).kind == "finished"
        monkeypatch.setattr(states, "_write", real)
        assert lab.watcher.warnings
        assert all(text.startswith("not saved:") and "training goes on" in text for text in lab.watcher.warnings)
        assert lab.digest(name, 10) == lab.digest("whole", 10)
        assert not list((lab.out(name) / "state").glob(".*"))


SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)


@scaled(6, 30)
def test_a_signal_at_any_point_saves_once_and_going_on_gives_the_same_bits(
    count: int, lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ("steps=8", "watch.save_every=3", "watch.validate_every=3")
    lab.run("whole", *settings)
    order = random.Random(5)
    places: list[tuple[ModuleType | type, str]] = [(stage, "save_state"), (Validator, "scores"), (stage, "save_model")]
    for number in range(count):
        signal_number, name = SIGNALS[number % 3], f"stopped-{number}"
        with monkeypatch.context() as patch:
            if number % 2:  # while it saves or validates
                interrupt(patch, *places[number // 2 % 3], signal_number)
                outcome = lab.run(name, *settings)
                step = 4  # asked during the third step's save or validation, it stops after the next step
            else:
                step = order.randint(1, 7)
                outcome = lab.run(name, *settings, at=stop_at(step, signal_number))
        assert (outcome.kind, outcome.step) == ("stopped", step)
        assert outcome.signal == (signal.SIGINT if signal_number == signal.SIGINT else signal.SIGTERM)
        assert lab.states(name)[-1] == step
        assert lab.run(name, *settings).kind == "finished"
        assert lab.digest(name, 8) == lab.digest("whole", 8), f"stopped after step {step} by {signal_number}"


def interrupt(patch: pytest.MonkeyPatch, owner: ModuleType | type, name: str, number: int) -> None:
    """The first call of `owner.name` is interrupted by a signal."""
    real, calls = getattr(owner, name), []

    def interrupted(*arguments: object) -> object:
        if not calls:
            calls.append(1)
            signal.raise_signal(number)
        return real(*arguments)

    patch.setattr(owner, name, interrupted)


POISONS = [(where, value) for where in ("picture", "loss", "gradient") for value in ("nan", "inf", "-inf")]


@pytest.mark.parametrize(("where", "value"), POISONS)
def test_what_is_not_finite_ends_the_run_without_an_update(
    where: str, value: str, lab: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad, update, weights = float(value), StageRun._update, []

    def poisoned(self: StageRun, batch: Batch) -> None:
        if self.step + 1 == 5:
            weights.append(weights_of(self))
            first = next(self.networks["generator"].parameters())
            if where == "picture":
                assert batch.hr is not None
                batch.hr[1, 0, 2, 3] = bad
            elif where == "loss":
                spoil_loss(self, bad)
            else:
                first.register_hook(lambda gradient: gradient * bad)
            try:
                update(self, batch)
            finally:
                weights.append(weights_of(self))
        else:
            update(self, batch)

    monkeypatch.setattr(StageRun, "_update", poisoned)
    with pytest.raises(DivergedError, match=r"step 5 of tiny: (loss|gradient of) 'generator' is") as caught:
        lab.run("sick", "watch.save_every=2")
    assert caught.value.exit_code == 6
    assert weights[0] == weights[1]
    record = json.loads((lab.out("sick") / "diverged.json").read_text())
    assert (record["step"], record["stage"]) == (5, "tiny")
    assert "'generator'" in record["what"]
    assert len(record["pairs"]) == 4
    assert all(pair.startswith("test-0000") for pair in record["pairs"])
    assert str(caught.value).count(record["pairs"][0]) == 1
    assert lab.states("sick")[-1] == 4


def spoil_loss(run: StageRun, bad: float) -> None:
    step = run.objective.step

    def spoiled(batch: Batch) -> Any:
        for losses in step(batch):
            yield {name: loss + bad for name, loss in losses.items()}

    run.objective.step = spoiled  # type: ignore[method-assign]


def weights_of(run: StageRun) -> str:
    """SHA-256 of networks, averages and optimisers."""
    from srzoo.trainer.state import gather

    total = hashlib.sha256()
    for key, value in sorted(gather(run.networks, run.averages, run.optimisers).items()):
        total.update(key.encode() + value.detach().contiguous().numpy().tobytes())
    return total.hexdigest()


def test_one_part_of_a_batch_that_is_not_finite_ends_the_run_too(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    update, weights = StageRun._update, []

    def poisoned(self: StageRun, batch: Batch) -> None:
        assert batch.hr is not None
        batch.hr[3] = float("nan")  # the last row: of the second part
        weights.append(weights_of(self))
        try:
            update(self, batch)
        finally:
            weights.append(weights_of(self))

    monkeypatch.setattr(StageRun, "_update", poisoned)
    with pytest.raises(DivergedError, match="step 1 of tiny: loss 'generator' is nan"):
        lab.run("sick", "data.accumulate=2")
    assert weights[0] == weights[1]


def test_a_row_that_is_damaged_under_way_names_shard_and_row(
    lab: Any, shard_writer: Callable[..., Path], tmp_path: Path
) -> None:
    lab.shards = shard_writer(tmp_path / "own")
    file = lab.shards / "test-00001.h5"

    def damage(step: int) -> None:
        if step == 3:
            data = bytearray(file.read_bytes())
            for place in range(len(data) // 8, len(data), 97):
                data[place] ^= 16
            with file.open("r+b") as opened:  # the same file, which the run holds open
                opened.write(data)

    with pytest.raises(IntegrityError, match=r"test-00001.h5: (hr|lr)\[\d+\] does not match its checksum") as caught:
        lab.run("damaged", "watch.save_every=1", at=damage)
    assert caught.value.exit_code == 4
    assert lab.states("damaged")[-1] >= 3


CHANGES = {
    "data.batch=2": "tiny.data.batch was 4, is 2",
    "data.accumulate=2": "tiny.data.accumulate was not stated, is 2",
    "data.where='not jpeg'": "tiny.data.where was not stated, is not jpeg",
    "optimisers.generator.learning_rate=1e-3": "tiny.optimisers.generator.learning_rate was 0.01, is 0.001",
    "networks.generator.features=8": "tiny.networks.generator.features was 4, is 8",
    "loss.pixel_distance=mse": "tiny.loss.pixel_distance was not stated, is mse",
    "steps=60": "tiny.steps was 40, is 60",
    "precision=bf16": "tiny.precision was fp32, is bf16",
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_setting_is_named_and_refused(
    change: str, lab: Any, shard_writer: Callable[..., Path], tmp_path: Path
) -> None:
    traces = [{"steps": [{"op": op, "id": f"{op}0"}]} for op in ("jpeg", "blur")]
    lab.shards = shard_writer(tmp_path / "traced", traces=traces, num_sources=12)
    lab.run("run", at=stop_at(2))
    with pytest.raises(PresetError, match="the run in it has other settings") as caught:
        lab.run("run", change)
    assert CHANGES[change] in str(caught.value)
    assert caught.value.exit_code == 2
    assert lab.states("run") == [2]


def test_where_shards_lie_and_how_often_a_run_looks_may_change(lab: Any, tmp_path: Path) -> None:
    lab.run("run", at=stop_at(2))
    moved = shutil.copytree(lab.shards, tmp_path / "moved")
    lab.run("run", "steps=40", "watch.log_every=3", shards=(moved,), at=stop_at(4))
    assert lab.states("run")[-1] == 4


def test_weights_of_a_mixture_are_settings(lab: Any, shard_writer: Callable[..., Path], tmp_path: Path) -> None:
    other = shard_writer(tmp_path / "other", seed=1)

    def mixed(weight: float) -> dict[str, Any]:
        return {"shards": (Path(f"{lab.shards}:{weight:g}"), other)}

    lab.run("run", at=stop_at(2), **mixed(3))
    with pytest.raises(PresetError, match=r"shards.tiny.weights was \[3.0, 1.0\], is \[2.0, 1.0\]"):
        lab.run("run", **mixed(2))
    lab.run("whole", "steps=40", at=stop_at(9), **mixed(3))
    lab.run("run", at=stop_at(9), workers=2, **mixed(3))
    assert lab.digest("run", 9) == lab.digest("whole", 9)


def test_random_numbers_inside_a_network_are_no_state(lab: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dropout after going on draws what it would have drawn."""
    update, drawn = StageRun._update, []

    def drawing(self: StageRun, batch: Batch) -> None:
        step = self.objective.step

        def noisy(batch: Batch) -> Any:
            drawn.append((self.step, torch.rand(()).item()))
            return step(batch)

        self.objective.step = noisy  # type: ignore[method-assign]
        update(self, batch)
        self.objective.step = step  # type: ignore[method-assign]

    monkeypatch.setattr(StageRun, "_update", drawing)
    lab.run("whole", at=stop_at(6))
    whole, drawn[:] = list(drawn), []
    lab.run("legs", at=stop_at(3))
    torch.manual_seed(99)
    lab.run("legs", at=stop_at(6))
    assert drawn == whole
    assert len({value for _, value in whole}) == 6


def test_a_run_goes_on_though_what_it_started_from_is_gone(lab: Any) -> None:
    lab.run("start", "steps=1")
    start = f"networks.generator.start_from={lab.out('start')}"
    lab.run("run", start, at=stop_at(2))
    shutil.rmtree(lab.out("start"))
    lab.run("run", start, at=stop_at(4))
    assert lab.states("run") == [2, 4]
    with pytest.raises(PresetError, match="no trained"):
        lab.run("other", start)
