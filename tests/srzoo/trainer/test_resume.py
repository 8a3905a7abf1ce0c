"""Going on gives the bits of never having stopped, and refuses what is not the same run."""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from srzoo.checkpoint import load_model
from srzoo.errors import DivergedError, PresetError, ResourceError, UsageError, WeightsMissingError
from srzoo.preset import load_preset
from srzoo.trainer import Outcome, Progress, RunOptions, Watcher, train


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class StopAt(Watcher):
    """Sends this process SIGTERM after some steps."""

    def __init__(self, step: int) -> None:
        self.step, self.warnings, self.notes = step, [], []

    def progress(self, progress: Progress) -> None:
        if progress.step == self.step:
            signal.raise_signal(signal.SIGTERM)

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)


def run(preset: Path, shards: Path, out: Path, *overrides: str, stop_at: int = 0, **options: object) -> Outcome:
    loaded = load_preset(str(preset), overrides=overrides)
    return train(loaded, RunOptions((shards,), out, device="cpu", **options), StopAt(stop_at))  # type: ignore[arg-type]


def digests(out: Path, step: int = 40) -> tuple[str, str]:
    """SHA-256 of all tensors of the state, and of the weights of the product."""
    from safetensors import safe_open

    meta = json.loads((out / "state" / f"step-{step:06d}" / "meta.json").read_text())
    with safe_open(out / "generator.safetensors", framework="pt") as file:
        return meta["files"]["state.safetensors"], file.metadata()["sha256"]


GAN = """
name = "tiny-gan"
source = "Our own, for tests."
objective = "supervised"
scale = 2
steps = 5
precision = "bf16"

[networks.generator]
type = "skipres"
blocks = 1
features = 4
ema = 0.9

[networks.critic]
type = "vgg_style"
features = 4

[optimisers.generator]
networks = ["generator"]
learning_rate = 1e-3

[optimisers.critic]
networks = ["critic"]
learning_rate = 1e-3
clip = 1.0

[loss]
pixel = 0.1
adversarial = 0.005

[data]
patch = 12
batch = 4

[watch]
pairs = 2
"""


@pytest.fixture
def gan_preset(tmp_path: Path) -> Path:
    path = tmp_path / "tiny-gan.toml"
    path.write_text(GAN)
    return path


@pytest.fixture
def two_stages(tmp_path: Path, tiny_preset: Path, gan_preset: Path) -> Path:
    """Three steps for PSNR, then three against a critic."""
    path = tmp_path / "two.toml"
    path.write_text(
        f"""
        name = "two"
        source = "Our own, for tests."
        [[stages]]
        extends = "{tiny_preset}"
        steps = 3
        [[stages]]
        extends = "{gan_preset}"
        steps = 3
        [stages.networks.generator]
        start_from = "tiny"
        """
    )
    return path


@pytest.mark.slow
def test_stopping_at_every_step_changes_no_bit(tiny_preset: Path, tiny_shards: Path, tmp_path: Path) -> None:
    whole = run(tiny_preset, tiny_shards, tmp_path / "whole")
    assert (whole.kind, whole.step) == ("finished", 40)
    expected = digests(tmp_path / "whole")
    for step in range(1, 40):
        out = tmp_path / f"stopped-{step}"
        stopped = run(tiny_preset, tiny_shards, out, stop_at=step)
        assert (stopped.kind, stopped.step, stopped.signal) == ("stopped", step, signal.SIGTERM)
        assert run(tiny_preset, tiny_shards, out, workers=step % 3).kind == "finished"
        assert digests(out) == expected, f"stopped at step {step}"


def test_stopping_a_gan_changes_no_bit(gan_preset: Path, tiny_shards: Path, tmp_path: Path) -> None:
    run(gan_preset, tiny_shards, tmp_path / "whole")
    for step in (1, 2, 4):
        stopped = run(gan_preset, tiny_shards, tmp_path / "parts", stop_at=step)
        assert (stopped.kind, stopped.step) == ("stopped", step)
    assert run(gan_preset, tiny_shards, tmp_path / "parts").kind == "finished"
    assert digests(tmp_path / "parts", 5) == digests(tmp_path / "whole", 5)


def test_another_seed_or_step_gives_other_bits(gan_preset: Path, tiny_shards: Path, tmp_path: Path) -> None:
    run(gan_preset, tiny_shards, tmp_path / "one", "steps=1")
    run(gan_preset, tiny_shards, tmp_path / "other", "steps=1", seed=1)
    assert digests(tmp_path / "one", 1) != digests(tmp_path / "other", 1)


def test_stages_follow_each_other_and_keep_their_products(two_stages: Path, tiny_shards: Path, tmp_path: Path) -> None:
    out = tmp_path / "runs" / "two"
    assert run(two_stages, tiny_shards, out).step == 6
    expected = digests(out, 6)
    first, last = load_model(out / "tiny" / "generator.safetensors"), load_model(out / "generator.safetensors")
    assert (first.metadata["stage"], last.metadata["stage"]) == ("tiny", "tiny-gan")
    assert first.metadata["sha256"] != last.metadata["sha256"]
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [(line["step"], line["stage"]) for line in lines] == [(3, "tiny"), (6, "tiny-gan")]
    for step in (2, 3, 4):  # inside the first stage, between the two, inside the second
        parts = tmp_path / "runs" / f"parts-{step}"
        assert run(two_stages, tiny_shards, parts, stop_at=step).step == step
        assert run(two_stages, tiny_shards, parts).kind == "finished"
        assert digests(parts, 6) == expected


def test_a_stage_without_its_weights_is_left_out_but_never_the_first(
    two_stages: Path, gan_preset: Path, tiny_shards: Path, tmp_path: Path
) -> None:
    missing = {"vgg_weights": tmp_path / "vgg19.pth"}
    outcome = run(two_stages, tiny_shards, tmp_path / "two", "stages.1.loss.perceptual=1.0", **missing)
    assert (outcome.kind, outcome.step, outcome.steps) == ("finished", 3, 6)
    assert "tiny-gan is left out" in outcome.left_out
    assert "vgg19.pth" in outcome.left_out
    assert (tmp_path / "two" / "generator.safetensors").is_file()
    with pytest.raises(WeightsMissingError, match="no such file"):
        run(gan_preset, tiny_shards, tmp_path / "gan", "loss.perceptual=1.0", **missing)


def test_a_finished_run_is_left_as_it_is(gan_preset: Path, tiny_shards: Path, tmp_path: Path) -> None:
    run(gan_preset, tiny_shards, tmp_path / "run")
    before = digests(tmp_path / "run", 5)
    assert run(gan_preset, tiny_shards, tmp_path / "run").kind == "finished"
    assert digests(tmp_path / "run", 5) == before


def test_other_settings_are_refused_by_name_unless_overridden(
    gan_preset: Path, tiny_shards: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    run(gan_preset, tiny_shards, out, stop_at=2)
    before = sorted(out.rglob("*"))
    with pytest.raises(PresetError, match=r"tiny-gan.data.batch was 4, is 2; seed was 0, is 5") as caught:
        run(gan_preset, tiny_shards, out, "data.batch=2", seed=5)
    assert caught.value.exit_code == 2
    assert "--override" in str(caught.value)
    assert sorted(out.rglob("*")) == before
    assert run(gan_preset, tiny_shards, out, "data.batch=2", override=True).kind == "finished"


def test_how_often_a_run_looks_at_itself_may_change(gan_preset: Path, tiny_shards: Path, tmp_path: Path) -> None:
    run(gan_preset, tiny_shards, tmp_path / "whole")
    run(gan_preset, tiny_shards, tmp_path / "run", stop_at=2)
    run(gan_preset, tiny_shards, tmp_path / "run", "watch.validate_every=1", "watch.log_every=1", workers=0)
    assert digests(tmp_path / "run", 5) == digests(tmp_path / "whole", 5)


def test_other_shards_are_refused(
    gan_preset: Path, tiny_shards: Path, tmp_path: Path, shard_writer: Callable[..., Path]
) -> None:
    run(gan_preset, tiny_shards, tmp_path / "run", stop_at=2)
    with pytest.raises(PresetError, match=r"shards.tiny-gan.digest was"):
        run(gan_preset, shard_writer(tmp_path / "other", seed=1), tmp_path / "run")


def test_overwrite_starts_over_and_removes_only_what_a_run_writes(
    gan_preset: Path, tiny_shards: Path, tmp_path: Path
) -> None:
    run(gan_preset, tiny_shards, tmp_path / "run", stop_at=2)
    mine = tmp_path / "run" / "notes.txt"
    mine.write_text("keep me")
    outcome = run(gan_preset, tiny_shards, tmp_path / "run", "steps=1", overwrite=True)
    assert (outcome.kind, outcome.step) == ("finished", 1)
    assert [path.name for path in (tmp_path / "run" / "state").iterdir()] == ["step-000001"]
    assert mine.read_text() == "keep me"


def test_the_log_forgets_what_was_not_saved(gan_preset: Path, tiny_shards: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(gan_preset, tiny_shards, out, "watch.log_every=1", stop_at=3)
    shutil.rmtree(out / "state" / "step-000003", ignore_errors=True)
    with (out / "log.jsonl").open("a") as file:
        file.write('{"step": 4, "sta')  # a kill in the middle of a line
    run(gan_preset, tiny_shards, out, "watch.log_every=1")
    steps = [json.loads(line)["step"] for line in (out / "log.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("damage", ["flipped", "cut", "missing", "facts"])
def test_a_broken_newest_state_is_named_kept_aside_and_passed_over(
    damage: str, gan_preset: Path, tiny_shards: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    run(gan_preset, tiny_shards, tmp_path / "whole", "watch.save_every=2")
    run(gan_preset, tiny_shards, out, "watch.save_every=2", stop_at=4)
    newest = out / "state" / "step-000004"
    file = newest / ("facts.json" if damage == "facts" else "state.safetensors")
    data = bytearray(file.read_bytes())
    if damage == "missing":
        file.unlink()
    elif damage == "cut":
        file.write_bytes(data[:-7])
    else:
        data[len(data) // 2] ^= 4
        file.write_bytes(data)
    watcher = StopAt(0)
    outcome = train(
        load_preset(str(gan_preset), overrides=["watch.save_every=2"]),
        RunOptions((tiny_shards,), out, device="cpu"),
        watcher,
    )
    assert outcome.kind == "finished"
    assert "step-000004: broken" in watcher.warnings[0]
    assert (out / "state" / "broken-step-000004").is_dir()
    assert "going on from step 2" in " ".join(watcher.notes)
    assert digests(out, 5) == digests(tmp_path / "whole", 5)


def test_the_last_three_states_and_the_best_are_kept(gan_preset: Path, tiny_shards: Path, tmp_path: Path) -> None:
    run(gan_preset, tiny_shards, tmp_path / "run", "watch.save_every=1", "watch.validate_every=1", "steps=9")
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    best = max(lines, key=lambda line: line["psnr"])["step"]
    kept = {int(path.name[-6:]) for path in (tmp_path / "run" / "state").iterdir()}
    assert kept == {7, 8, 9, best}


def test_a_second_run_in_the_folder_is_refused(gan_preset: Path, tiny_shards: Path, tmp_path: Path) -> None:
    from srzoo.trainer.run import _locked

    with _locked(tmp_path / "run"), pytest.raises(ResourceError, match="another run"):
        run(gan_preset, tiny_shards, tmp_path / "run")


def test_shards_that_are_missing_or_do_not_fit_are_refused(gan_preset: Path, tiny_shards: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"degrade synth --recipe generic --out .*nowhere"):
        run(gan_preset, tmp_path / "nowhere", tmp_path / "run")
    with pytest.raises(PresetError, match="shards of scale 2, but tiny-gan is of scale 4"):
        run(gan_preset, tiny_shards, tmp_path / "run", "scale=4")
    with pytest.raises(PresetError, match="up to 16"):
        run(gan_preset, tiny_shards, tmp_path / "run", "data.patch=24")


def test_a_diverged_run_stops_names_the_pairs_and_keeps_the_last_state(
    gan_preset: Path, tiny_shards: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    with pytest.raises(DivergedError, match=r"not finite|is nan|is inf") as caught:
        run(gan_preset, tiny_shards, out, "optimisers.generator.learning_rate=1e38", "watch.save_every=1", "steps=50")
    assert caught.value.exit_code == 6
    dump = json.loads((out / "diverged.json").read_text())
    assert len(dump["pairs"]) == 4
    assert all(":" in pair for pair in dump["pairs"])
    newest = max(path.name for path in (out / "state").iterdir())
    assert newest == f"step-{dump['step'] - 1:06d}"


@pytest.mark.parametrize("what", ["save_state", "save_model"])
def test_a_full_disk_is_said_and_training_goes_on_to_the_next_save(
    what: str, gan_preset: Path, tiny_shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from srzoo.trainer import stage

    real, calls = getattr(stage, what), iter(range(1, 99))

    def full_twice(*arguments: object) -> object:
        if next(calls) <= 2:
            raise ResourceError("run", "no room left on the disk", "free some")
        return real(*arguments)

    monkeypatch.setattr(stage, what, full_twice)
    watcher = StopAt(0)
    preset = load_preset(str(gan_preset), overrides=["watch.save_every=2"])
    options = RunOptions((tiny_shards,), tmp_path / "run", device="cpu")
    assert train(preset, options, watcher).kind == "finished"
    assert [text.split(":")[0] for text in watcher.warnings] == ["not saved"] * 2
    monkeypatch.setattr(stage, what, lambda *_: (_ for _ in ()).throw(ResourceError("run", "no room", "free some")))
    with pytest.raises(ResourceError, match="no room"):  # the last save is not given up silently
        train(preset, RunOptions((tiny_shards,), tmp_path / "other", device="cpu"), StopAt(0))
