"""All that is wrong is said before the first step, one line for each fault."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from degrade.shards.reader import open_shards
from srzoo.data import JoinedPairs, hold_out
from srzoo.errors import IntegrityError, PresetError, UsageError
from srzoo.preset import load_preset, preset_names
from srzoo.trainer import FaultsError, RunOptions, check, preflight, train
from srzoo.trainer.preflight import check_run

Writer = Callable[..., Path]

TRACES = [
    {"steps": [{"op": "jpeg", "id": "jpeg0", "quality": 30}]},
    {"steps": [{"op": "jpeg", "id": "jpeg0", "quality": 90}]},
    {"steps": [{"op": "gaussian_noise", "id": "noise", "sigma": 3.0}]},
]


def checked(preset: Path, *shards: Path | str, overrides: tuple[str, ...] = (), **options: object) -> list[str]:
    loaded = load_preset(str(preset), overrides=overrides)
    choices = tuple(Path(folder) for folder in shards)
    return check(loaded, RunOptions(choices, preset.parent / "run", device="cpu", **options))  # type: ignore[arg-type]


def test_a_run_that_can_start_says_its_plan_and_writes_nothing(tiny_preset: Path, tiny_shards: Path) -> None:
    plan, pairs = checked(tiny_preset, tiny_shards)
    assert plan == "tiny, 40 steps of 4 x 4 px LR"
    assert pairs == "24 pairs; 4 of them, all of 1 of the 6 sources, validate and never train"
    assert not (tiny_preset.parent / "run").exists()


def test_every_fault_is_one_line_and_all_are_found(tiny_preset: Path, tiny_shards: Path, tmp_path: Path) -> None:
    overrides = (
        "data.batch=5",
        "data.accumulate=2",
        "data.needs=['lr', 'real_lr']",
        "networks.generator.scale=4",
        "networks.generator.start_from=nobody",
    )
    with pytest.raises(FaultsError) as caught:
        checked(tiny_preset, tiny_shards, tmp_path / "nowhere", overrides=overrides)
    said = [str(fault) for fault in caught.value.faults]
    assert len(said) == 5
    for part, line in zip(
        (
            "tiny: networks.generator.scale: 4, but the stage has 2",
            "tiny: data.needs: shards have no real_lr",
            "data.batch: 5 pairs over 2 parts",
            "networks.generator.start_from: no trained 'nobody'",
            "nowhere: no shards here - make some: degrade synth",
        ),
        said,
        strict=True,
    ):
        assert part in line
        assert "\n" not in line
    assert caught.value.exit_code == 2
    assert "and 4 more - srzoo train --check lists all" in str(caught.value)


def test_a_single_fault_is_raised_as_what_it_is(tiny_preset: Path, tiny_shards: Path) -> None:
    with pytest.raises(PresetError, match=r"data.patch: 24 HR pixels do not fit shards of 16 x 16"):
        checked(tiny_preset, tiny_shards, overrides=("data.patch=24",))
    with pytest.raises(PresetError, match="shards of scale 2, but tiny is of scale 4"):
        checked(tiny_preset, tiny_shards, overrides=("scale=4",))


def test_training_starts_only_where_nothing_is_wrong(tiny_preset: Path, tiny_shards: Path, tmp_path: Path) -> None:
    options = RunOptions((tiny_shards, tmp_path / "nowhere"), tmp_path / "run", device="cpu")
    with pytest.raises(UsageError, match="no shards here"):
        train(load_preset(str(tiny_preset)), options)
    assert not (tmp_path / "run").exists()


def test_a_set_is_checked_once_though_two_stages_read_it(tiny_preset: Path, tiny_shards: Path, tmp_path: Path) -> None:
    two = tmp_path / "two.toml"
    stage = f'[[stages]]\nextends = "{tiny_preset}"\nname = "%s"\n'
    two.write_text(f'name = "two"\nsource = "ours"\n{stage % "a"}{stage % "b"}')
    options = RunOptions((tiny_shards,), tmp_path / "run")
    first, last = check_run(load_preset(str(two)), options)
    assert first is last
    with pytest.raises(UsageError, match="no shards here"):  # one fault, not two
        check_run(load_preset(str(two)), RunOptions((tmp_path / "nowhere",), tmp_path / "run"))


def test_each_stage_may_name_its_own_shards(tiny_preset: Path, shard_writer: Writer, tmp_path: Path) -> None:
    one, other = shard_writer(tmp_path / "one"), shard_writer(tmp_path / "other", seed=1, num_pairs=12)
    two = tmp_path / "two.toml"
    stage = f'[[stages]]\nextends = "{tiny_preset}"\nname = "%s"\ndata = {{ shards = ["%s"] }}\n'
    two.write_text(f'name = "two"\nsource = "ours"\n{stage % ("a", one)}{stage % ("b", f"{other}:2")}')
    said = check(load_preset(str(two)), RunOptions((), tmp_path / "run"))
    assert said[1].startswith("a: 24 pairs")
    assert said[2].startswith("b: 12 pairs")
    shared = check(load_preset(str(two)), RunOptions((one,), tmp_path / "run"))  # the command line has the last word
    assert shared[1].startswith("24 pairs")


@pytest.mark.parametrize(("traces", "count"), [("jpeg.quality < 60", 8), ("jpeg and not noise", 16)])
def test_a_condition_says_how_many_pairs_are_left(
    traces: str, count: int, tiny_preset: Path, shard_writer: Writer, tmp_path: Path
) -> None:
    shards = shard_writer(tmp_path / "traced", traces=TRACES, num_sources=12)
    said = checked(tiny_preset, shards, overrides=(f'data.where="{traces}"',))
    assert said[1].startswith(f"{count} pairs; ")
    assert said[2] == f"{count} of 24 pairs fulfil `{traces}`"
    preset = load_preset(str(tiny_preset), overrides=[f'data.where="{traces}"'])
    split = check_run(preset, RunOptions((shards,), tmp_path / "run"))[0].split
    assert sorted([*split.train, *split.held_out]) == [n for n in range(24) if n % 3 < count // 8]


def test_a_condition_without_a_pair_is_refused(tiny_preset: Path, shard_writer: Writer, tmp_path: Path) -> None:
    shards = shard_writer(tmp_path / "traced", traces=TRACES)
    with pytest.raises(UsageError, match="none of 24 pairs fulfils it"):
        checked(tiny_preset, shards, overrides=('data.where="jpeg.quality > 95"',))
    with pytest.raises(UsageError, match=r"where: jpeg.quality >: cannot be read"):
        checked(tiny_preset, shards, overrides=('data.where="jpeg.quality >"',))


def test_weights_and_their_pairs_are_said(tiny_preset: Path, shard_writer: Writer, tmp_path: Path) -> None:
    one, other = shard_writer(tmp_path / "one"), shard_writer(tmp_path / "other", seed=1, side=24)
    said = checked(tiny_preset, f"{one}:3", other)
    assert said[1].startswith("48 pairs")
    assert said[2].startswith(f"samples: 75 % from {one} (")
    assert f"25 % from {other} (" in said[2]


def test_sets_of_other_pixels_do_not_mix(tiny_preset: Path, shard_writer: Writer, tmp_path: Path) -> None:
    one, other = shard_writer(tmp_path / "one"), shard_writer(tmp_path / "deep", seed=1, dtype=np.uint16)
    with pytest.raises(FaultsError) as caught:
        checked(tiny_preset, one, other)
    said = [str(fault) for fault in caught.value.faults]
    assert "LR of 16 bits goes from" in said[0]  # 8-bit values in 16 bits
    assert "pixels of uint16" in said[1]
    assert caught.value.exit_code == 4


def test_pairs_that_show_nothing_are_refused(
    tiny_preset: Path, shard_writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = shard_writer(tmp_path / "one")
    flat = np.zeros((5, 8, 8, 3), np.uint8), np.full((5, 16, 16, 3), 9, np.uint8)
    monkeypatch.setattr("degrade.shards.reader.ShardSet.read_many", lambda *_: flat)
    with pytest.raises(IntegrityError, match="one: LR is 0 in every pixel of 5 pairs"):
        checked(tiny_preset, shards)


def test_damage_in_a_row_is_found_before_the_first_step(
    tiny_preset: Path, shard_writer: Writer, tmp_path: Path
) -> None:
    shards = shard_writer(tmp_path / "one")
    file = shards / "test-00000.h5"
    data = bytearray(file.read_bytes())
    row = open_shards(shards).read(0)[1].tobytes()
    data[data.index(row) + 5] ^= 1
    file.write_bytes(data)
    with pytest.raises(IntegrityError, match=r"hr\[0\] does not match its checksum"):
        checked(tiny_preset, shards)


def test_stated_sets_validate_and_nothing_is_held_out(tiny_preset: Path, shard_writer: Writer, tmp_path: Path) -> None:
    one, other = shard_writer(tmp_path / "one"), shard_writer(tmp_path / "other", seed=1, num_pairs=8)
    said = checked(tiny_preset, one, validate=(other,))
    assert said[1] == f"24 pairs; 8 of {other} validate"
    material = check_run(load_preset(str(tiny_preset)), RunOptions((one,), tmp_path / "run", validate=(other,)))[0]
    assert list(material.split.train) == list(range(24))
    assert list(material.split.held_out) == list(range(24, 32))
    order = material.order(0)
    assert sorted(order.pair(sample) for sample in range(24)) == list(range(24))


def test_a_photograph_may_not_train_and_validate(tiny_preset: Path, shard_writer: Writer, tmp_path: Path) -> None:
    one, same = shard_writer(tmp_path / "one"), shard_writer(tmp_path / "same", num_pairs=8, num_sources=2)
    with pytest.raises(UsageError, match=r"same: 2 of its sources train, too, among them 0.png"):
        checked(tiny_preset, one, validate=(same,))


def test_a_weighted_set_without_a_pair_to_train_on_is_refused(
    tiny_preset: Path, shard_writer: Writer, tmp_path: Path
) -> None:
    sets = [shard_writer(tmp_path / str(seed), seed=seed, num_sources=1, num_pairs=4) for seed in range(4)]
    held_out = JoinedPairs([open_shards(one) for one in sets])
    lost = held_out.source_numbers()[hold_out(held_out).held_out][0]
    with pytest.raises(UsageError, match=rf"{sets[lost]}: none of its pairs is left to train"):
        checked(tiny_preset, *(f"{one}:1" for one in sets))
    assert checked(tiny_preset, *sets)  # without weights it does not matter


def test_a_critic_of_another_size_is_refused(tiny_shards: Path, tmp_path: Path) -> None:
    preset = tmp_path / "gan.toml"
    preset.write_text(
        'extends = "compact-gan-x4"\nname = "gan"\nscale = 2\n[networks.generator]\nstart_from = "nobody"\n'
        "[networks.critic]\npatch = 32\n[data]\npatch = 12\n"
    )
    with pytest.raises(FaultsError) as caught:
        check_run(load_preset(str(preset)), RunOptions((tiny_shards,), tmp_path / "run"))
    assert "gan: networks.critic.patch: 32, but the stage has 12" in str(caught.value.faults[0])


def test_the_networks_of_every_shipped_preset_fit_their_stage() -> None:
    for name in preset_names():
        for stage in load_preset(name).stages:
            preflight._networks(stage)
            preflight._needs(stage, has_real_lr=True)
