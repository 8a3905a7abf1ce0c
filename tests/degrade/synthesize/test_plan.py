"""What pair comes from where: quotas, shard sizes, numbering, and what counts as another run."""

from __future__ import annotations

import dataclasses
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from degrade.errors import IntegrityError, UsageError
from degrade.sources.source import Source
from degrade.synthesize.plan import (
    LEAST_PAIRS,
    SHARD_BYTES,
    Plan,
    PlannedSource,
    check_sizes,
    cuts,
    differences,
    parse_plan,
    quotas,
    safe_name,
    shard_patches,
)


def make_plan(shares: list[int], **changes: object) -> Plan:
    sources = tuple(
        PlannedSource(Source("file", "/photos", f"{n}\udcff\n.png", f"{n:064x}", 9, 300, 400), f"{n:016x}", share)
        for n, share in enumerate(shares)
    )
    values = {
        "recipe_name": "generic",
        "recipe_text": "name = 'x'",
        "recipe_digest": "0" * 64,
        "seed": 0,
        "scale": 4,
        "patch": 64,
        "variants": 1,
        "margin": 32,
        "min_detail": 0.0,
        "engine": 1,
        "libraries": "pillow 1",
        "tool": "degrade 1",
        "patches_per_shard": 5,
        "sources": sources,
    }
    return Plan(**{**values, **changes})  # type: ignore[arg-type]  # a table of test values


def test_pairs_are_shared_equally_and_the_first_get_the_rest() -> None:
    sizes = [(500, 500)] * 4
    assert quotas(sizes, patch=64, pairs=10, per_image=None, variants=1) == [3, 3, 2, 2]
    assert quotas(sizes, patch=64, pairs=10, per_image=None, variants=2) == [2, 1, 1, 1]
    assert quotas(sizes, patch=64, pairs=None, per_image=7, variants=3) == [7, 7, 7, 7]


def test_without_a_count_each_photo_is_tiled_once() -> None:
    sizes = [(192, 192), (383, 191), (400, 600), (0, 0)]  # 0: the header could not be read
    assert quotas(sizes, patch=192, pairs=None, per_image=None, variants=1) == [1, 1, 6, 1]


@given(st.integers(1, 10**6), st.sampled_from([(48, 4), (192, 4), (256, 2), (1024, 1), (4096, 16)]), st.integers(1, 20))
def test_shards_stay_under_their_size_and_small_runs_are_spread(
    num_patches: int, sizes: tuple[int, int], variants: int
) -> None:
    patch, scale = sizes
    size = shard_patches(num_patches, patch=patch, scale=scale, variants=variants)
    pixel_bytes = size * 3 * (patch**2 + variants * (patch // scale) ** 2)
    assert pixel_bytes <= SHARD_BYTES or size == 1
    num_shards = -(-num_patches // size)
    if num_patches * variants >= 16 * LEAST_PAIRS:
        assert num_shards >= 14  # 16, but for rounding
    last = num_patches - (num_shards - 1) * size
    assert 1 <= last <= size


def test_a_handful_of_pairs_is_one_shard() -> None:
    assert shard_patches(100, patch=192, scale=4, variants=1) == 100
    assert shard_patches(128, patch=192, scale=4, variants=1) == 64


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20), st.integers(1, 12))
def test_every_patch_is_cut_once_in_order(shares: list[int], per_shard: int) -> None:
    plan = make_plan(shares, patches_per_shard=per_shard)
    cut = [
        (cut.source, cut.first_patch + k)
        for i in range(plan.num_shards)
        for cut in cuts(plan, i)
        for k in range(cut.num_patches)
    ]
    assert cut == [(source, patch) for source, share in enumerate(shares) for patch in range(share)]
    assert [sum(c.num_patches for c in cuts(plan, i)) for i in range(plan.num_shards)] == [
        plan.pairs_of(i) for i in range(plan.num_shards)
    ]


def test_a_plan_survives_its_text_and_the_text_is_ascii_json() -> None:
    plan = make_plan([2, 1])
    text = plan.text()
    assert parse_plan(text, origin="plan.json") == plan
    assert json.loads(text)["num_pairs"] == 3
    assert text.isascii()
    assert len(text.splitlines()) == 4  # the head, a line for each source, the end


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "\x00", '{"format": "degrade-plan"}', '{"format": "other"}', "9" * 5000, "[" * 100_000],
)
def test_what_is_no_plan_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(IntegrityError, match=r"^plan\.json: .* - .*overwrite"):
        parse_plan(text, origin="plan.json")


def test_a_newer_plan_is_refused() -> None:
    text = make_plan([1]).text().replace('"format_version":1', '"format_version":2')
    with pytest.raises(IntegrityError, match="format version 2 is not known"):
        parse_plan(text, origin="plan.json")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"patch": 190}, r"--patch: 190 is not a multiple of the scale 4 - use 188 or 192"),
        ({"patch": 2}, "not between 4 and"),
        ({"variants": 0}, "--variants"),
        ({"pairs": 10, "variants": 4}, "10 is not a multiple of 4 variants - use 8 or 12"),
        ({"pairs": 0}, "--pairs: 0 is not between"),
        ({"per_image": -1}, "--per-image: -1 is not between"),
        ({"pairs": 8, "per_image": 1}, "together with --pairs"),
    ],
)
def test_sizes_that_do_not_go_together_name_the_option(values: dict[str, int], message: str) -> None:
    sizes = {"patch": 192, "scale": 4, "variants": 1, "pairs": None, "per_image": None, **values}
    with pytest.raises(UsageError, match=message):
        check_sizes(**sizes)  # type: ignore[arg-type]  # a table of test values


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": 3}, "seed was 0, now 3"),
        ({"scale": 2}, "scale was 4, now 2"),
        ({"min_detail": 2.0}, "min-detail was 0.0, now 2.0"),
        ({"libraries": "pillow 2"}, "libraries was pillow 1, now pillow 2"),
        ({"recipe_name": "bicubic"}, "recipe was generic, now bicubic"),
        ({"recipe_digest": "1" * 64}, "the recipe changed"),
    ],
)
def test_differences_are_named(changes: dict[str, object], said: str) -> None:
    plan = make_plan([2, 2])
    assert differences(plan, dataclasses.replace(plan, **changes)) == [said]  # type: ignore[arg-type]


def test_other_photos_and_counts_are_named() -> None:
    plan = make_plan([2, 2, 2])
    fewer = dataclasses.replace(plan, sources=plan.sources[1:])
    moved = dataclasses.replace(
        plan,
        sources=tuple(
            dataclasses.replace(planned, source=dataclasses.replace(planned.source, root="/elsewhere"))
            for planned in plan.sources
        ),
    )
    assert differences(plan, fewer) == ["0 photos added, 1 gone", "pairs were 6, now 4"]
    assert differences(plan, moved) == ["3 photos lie elsewhere"]


def test_a_recipe_name_becomes_a_file_name() -> None:
    assert safe_name("../My recipe.v2") == "My_recipe_v2"
    assert safe_name("...") == "recipe"
