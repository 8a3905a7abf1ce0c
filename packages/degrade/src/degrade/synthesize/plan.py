"""What pair comes from where: a plan is data, written before the first pair is made.

It depends on file bytes, headers and settings alone, never on workers, listing order or time. Sources are
in the order of their SHA-256 and get equal quotas; patches are numbered through, and so are pairs.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from degrade.errors import IntegrityError, UsageError
from degrade.sources.pairs import CapturedPair
from degrade.sources.source import Source

FORMAT = "degrade-plan"
FORMAT_VERSION = 1

SHARD_BYTES = 128 << 20
TRACE_BYTES = 1024  # allowed for, per pair
WANTED_SHARDS = 16  # so that every core has work in a small run ...
LEAST_PAIRS = 64  # ... but no shard is made smaller than this for it
MAX_PATCH = 4096
MAX_PAIRS = 1 << 31
CANDIDATES = 8  # positions tried where a least detail is asked for

_NAMED = ("seed", "scale", "zoom", "patch", "variants", "margin", "min_detail", "engine", "libraries", "tool")


@dataclass(frozen=True, slots=True)
class PlannedSource:
    """A picture and how many patches are cut from it; `key` (16 hex digits) is that of its random numbers."""

    source: Source
    key: str
    quota: int

    def as_dict(self) -> dict[str, Any]:
        return {**self.source.as_dict(), "key": self.key, "quota": self.quota}


@dataclass(frozen=True, slots=True)
class Cut:
    """A run of patches of one source: numbers `first_patch` to `first_patch + num_patches - 1`."""

    source: int
    first_patch: int
    num_patches: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that decides what is in the shards of a run.

    Attributes:
        scale: HR size over LR size in the shards.
        margin: HR pixels of surroundings.
        assets: name and place of the pools, models and folders that the recipe uses, but for what comes with degrade.
        captured_scale: of captured pairs, HR size over LR size of the pictures; the recipe, if any, makes the rest.
        zoom: optical zoom of same-size pairs, captured ones or those that a model learned from; else 1.
        reduction: pixels of a picture for one of HR, where the recipe shrinks it first; else 1.
    """

    recipe_name: str
    recipe_text: str
    recipe_digest: str
    seed: int
    scale: int
    patch: int
    variants: int
    margin: int
    min_detail: float
    engine: int
    libraries: str
    tool: str
    patches_per_shard: int
    sources: tuple[PlannedSource, ...]
    assets: tuple[tuple[str, str], ...] = ()
    captured_scale: int | None = None
    zoom: int = 1
    reduction: int = 1

    @property
    def side(self) -> int:
        """Of what a patch covers in a picture, in its pixels."""
        return self.patch * self.reduction

    @property
    def num_patches(self) -> int:
        return sum(source.quota for source in self.sources)

    @property
    def num_pairs(self) -> int:
        return self.num_patches * self.variants

    @property
    def num_shards(self) -> int:
        return -(-self.num_patches // self.patches_per_shard)

    def shard_name(self, index: int) -> str:
        return f"{self.recipe_name}-x{self.scale}-{index:05d}.h5"

    def pairs_of(self, index: int) -> int:
        """How many pairs shard `index` holds if no source fails."""
        first = index * self.patches_per_shard
        return (min(first + self.patches_per_shard, self.num_patches) - first) * self.variants

    def text(self) -> str:
        """The plan as canonical JSON, one source a line."""
        head = {"format": FORMAT, "format_version": FORMAT_VERSION, "num_pairs": self.num_pairs}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name != "sources" and value != field.default:  # what came later is stated where it is used
                head[field.name] = value
        lines = ",\n".join(_canonical(source.as_dict()) for source in self.sources)
        return f'{_canonical(head)[:-1]},"sources":[\n{lines}\n]}}\n'

    def digest(self) -> str:
        """SHA-256 of `text()`, hex."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def parse_plan(text: str, *, origin: str) -> Plan:
    """The plan that `Plan.text` wrote.

    Raises:
        IntegrityError: not a plan, or one of an unknown version.
    """
    cure = "delete it, or start over with --overwrite"
    try:
        table = json.loads(text)
        if table["format"] != FORMAT:
            raise IntegrityError(origin, "not a plan of degrade", cure)
        if table["format_version"] != FORMAT_VERSION:
            raise IntegrityError(origin, f"format version {table['format_version']} is not known", "update degrade")
        known = {
            field.name: table[field.name]
            for field in dataclasses.fields(Plan)
            if field.name in table or field.default is dataclasses.MISSING
        }
        known["sources"] = tuple(_planned_source(**entry) for entry in known["sources"])
        known["assets"] = tuple((str(name), str(path)) for name, path in known.get("assets", ()))
        return Plan(**known)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise IntegrityError(origin, "not a readable plan", cure) from None


def _planned_source(*, key: str, quota: int, **source: Any) -> PlannedSource:
    kind = CapturedPair if source["kind"] == "pair" else Source
    return PlannedSource(kind(**source), key, quota)


def quotas(
    sizes: Sequence[tuple[int, int]], *, patch: int, pairs: int | None, per_image: int | None, variants: int
) -> list[int]:
    """Patches for each photo of the given (height, width), in their order.

    `pairs` in all: equal shares, the first photos one more where it does not divide. `per_image` patches of
    each. Neither: as many as would tile the photo once, at least one.
    """
    if pairs is not None:
        share, rest = divmod(pairs // variants, len(sizes))
        return [share + (index < rest) for index in range(len(sizes))]
    if per_image is not None:
        return [per_image] * len(sizes)
    return [max((height // patch) * (width // patch), 1) for height, width in sizes]


def shard_patches(num_patches: int, *, patch: int, scale: int, variants: int) -> int:
    """How many HR patches go in one shard: a matter of sizes alone.

    At most what fits 128 MiB; in a small run fewer, so that there are 16 shards, but not below 64 pairs for
    the sake of that; and all shards about equally full.
    """
    num_bytes = 3 * patch * patch + variants * (3 * (patch // scale) ** 2 + TRACE_BYTES)
    needed = -(-num_patches // max(SHARD_BYTES // num_bytes, 1))
    wanted = min(WANTED_SHARDS, num_patches * variants // LEAST_PAIRS)
    return -(-num_patches // max(needed, wanted, 1))


def cuts(plan: Plan, index: int) -> Iterator[Cut]:
    """What shard `index` is cut from, in order."""
    start = index * plan.patches_per_shard
    stop = min(start + plan.patches_per_shard, plan.num_patches)
    first = 0
    for number, source in enumerate(plan.sources):
        low, high = max(start, first), min(stop, first + source.quota)
        if low < high:
            yield Cut(number, low - first, high - low)
        first += source.quota
        if first >= stop:
            return


def check_sizes(
    *, patch: int, scale: int, variants: int, pairs: int | None, per_image: int | None, seed: int = 0
) -> None:
    """Refuse sizes and counts that do not go together.

    Raises:
        UsageError: names the option and values that would do.
    """
    if not scale <= patch <= MAX_PATCH:
        raise UsageError("--patch", f"{patch} is not between {scale} and {MAX_PATCH}", "192 is usual")
    if patch % scale:
        below = patch // scale * scale
        raise UsageError(
            "--patch", f"{patch} is not a multiple of the scale {scale}", f"use {below} or {below + scale}"
        )
    if not -(1 << 63) <= seed < 1 << 63:
        raise UsageError("--seed", f"{seed} does not fit into 64 bits", "use a smaller one")
    if variants < 1:
        raise UsageError("--variants", f"{variants} is not a count", "use 1 or more")
    if pairs is not None and per_image is not None:
        raise UsageError("--per-image", "given together with --pairs", "use one of them")
    for option, count in (("--pairs", pairs), ("--per-image", per_image)):
        if count is not None and not 1 <= count <= MAX_PAIRS:
            raise UsageError(option, f"{count} is not between 1 and {MAX_PAIRS}", "ask for another number")
    if pairs is not None and pairs % variants:
        below = pairs // variants * variants
        near = f"{below} or {below + variants}" if below else f"{variants}"
        raise UsageError("--pairs", f"{pairs} is not a multiple of {variants} variants", f"use {near}")


def safe_name(name: str) -> str:
    """`name` as a part of a file name."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_")[:64] or "recipe"


def differences(old: Plan, new: Plan) -> list[str]:
    """What a person would call the differences, the weightiest first."""
    found = []
    for name in _NAMED:
        was, now = getattr(old, name), getattr(new, name)
        if was != now:
            found.append(f"{name.replace('_', '-')} was {was}, now {now}")
    if old.recipe_name != new.recipe_name:
        found.insert(0, f"recipe was {old.recipe_name}, now {new.recipe_name}")
    elif old.recipe_digest != new.recipe_digest or old.recipe_text != new.recipe_text:
        found.insert(0, "the recipe changed")
    were, are = ({planned.source.sha256: planned.source for planned in plan.sources} for plan in (old, new))
    added, gone = len(are.keys() - were.keys()), len(were.keys() - are.keys())
    if added or gone:
        found.append(f"{added} photos added, {gone} gone")
    moved = sum(were[sha256] != are[sha256] for sha256 in were.keys() & are.keys())
    if moved:
        found.append(f"{moved} photos lie elsewhere")
    if old.assets != new.assets and old.recipe_digest == new.recipe_digest:
        found.append("the recipe's files lie elsewhere")
    if old.num_pairs != new.num_pairs:
        found.append(f"pairs were {old.num_pairs}, now {new.num_pairs}")
    return found or ["the way it is laid out in shards"]


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
