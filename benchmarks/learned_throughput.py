"""How fast does `degrade synth` make pairs with each learned recipe, beside `generic`, on the CPU and on a GPU?

    python benchmarks/learned_throughput.py [PHOTOS...] [--full] [--workers 2] [--quick]

From photographs to finished shards, each recipe in turn, several times. A run's start (interpreters, torch, the model,
decoding) does not count: the rate is that of a long run less a short one of the same photographs, by the clock, as
workers run side by side; the CPU time a pair costs is reported, too. A recipe whose model does not come with degrade
runs the untrained network of its preset: weights cost the same whatever they are. A recipe that degrades whole
photographs has `PATCHES` patches cut from each result. Without PHOTOS those of scikit-image serve.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import torch

import interleave
from degrade.errors import MissingModelError, UsageError
from degrade.recipe import Recipe, load_recipe
from degrade.sources import samples
from degrade.sources.load import where
from degrade.synthesize import synthesize
from degrade.trust import VARIABLE
from srzoo.checkpoint import save_model
from srzoo.degraders import DEGRADERS
from srzoo.errors import PresetError
from srzoo.export import Words, export_degrader
from srzoo.preset import build_networks, load_preset

CLASSICAL = "generic"
PRESETS = {  # recipe -> the small preset of its model
    "h2l": "srdgan-h2l-small",
    "dml": "dml-small",
    "dml-x4": "dml-small",
    "cyclegan": "cyclegan-small",
    "ddnsr": "ddnsr-small",
    "dsgan": "dsgan-small",
}
PATCHES = 10  # of each photograph, in a short run
LONGER = 4  # times as many in a long one
LONGER_CLASSICAL = 100  # the same for `generic`, whose pairs take a fraction of a millisecond


@dataclass(frozen=True)
class Way:
    """A recipe on a device, and how much longer than the short run the long one is."""

    name: str
    recipe: Recipe
    longer: int


@dataclass(frozen=True)
class Cost:
    """Pairs, seconds of the clock, and seconds of CPU in this process and its workers."""

    pairs: int
    seconds: float
    cpu_seconds: float

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.pairs - other.pairs, self.seconds - other.seconds, self.cpu_seconds - other.cpu_seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description="Time `degrade synth` with learned recipes.")
    parser.add_argument("photos", nargs="*", type=Path)
    parser.add_argument("--full", action="store_true", help="untrained networks of the papers' sizes instead")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one turn of few pairs each: to see that it runs")
    arguments = parser.parse_args()
    photos = arguments.photos or [where(source) for source in samples.photographs()]
    photos, repeats = (photos[:3], 1) if arguments.quick else (photos, arguments.repeats)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ[VARIABLE] = str(folder / "trusted")  # the user's own list is left alone
        ways = list(all_ways(photos, folder, is_full=arguments.full))
        found: dict[str, list[Cost]] = {way.name: [] for way in ways}
        for _ in range(repeats):
            for way in ways:
                longer = 2 if arguments.quick and way.longer == LONGER else way.longer
                found[way.name].append(steady(way.recipe, photos, longer, arguments.workers))
    rates = {way: [cost.pairs / cost.seconds for cost in costs] for way, costs in found.items()}
    size = "networks of full size" if arguments.full else "small networks"
    interleave.print_rates(f"Photographs to shards, {arguments.workers} workers, {size}", "pairs/s", rates, CLASSICAL)
    milliseconds = {
        way: round(statistics.median(1000 * cost.cpu_seconds / cost.pairs for cost in costs), 2)
        for way, costs in found.items()
    }
    print("\nCPU time of a pair, milliseconds")
    for way, cost in milliseconds.items():
        print(f"  {way:56}{cost:12,.2f}")

    medians = interleave.medians(rates)
    result: dict[str, Any] = {"machine": interleave.machine("degrade", "srzoo", "torch", "numpy"), "gpu": gpu()}
    result |= {"workers": arguments.workers, "networks": "full" if arguments.full else "small"}
    result |= {"pairs_per_s": {way: round(rate, 2) for way, rate in medians.items()}}
    result |= {"times_slower_than_generic": {way: round(medians[CLASSICAL] / rate, 1) for way, rate in medians.items()}}
    result |= {"cpu_ms_per_pair": milliseconds}
    if not arguments.quick:
        saved = interleave.save("learned_throughput_full" if arguments.full else "learned_throughput", result)
        print(f"\nwritten: {saved}")


def all_ways(photos: Sequence[Path], folder: Path, *, is_full: bool) -> Iterator[Way]:
    """`generic`, then each learned recipe that there is, on the CPU and on the GPU if there is one."""
    yield Way(CLASSICAL, load_recipe(CLASSICAL), LONGER_CLASSICAL)
    devices = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
    if len(devices) == 1:
        print("left out: GPU: none that torch can use")
    references = folder / "references"
    references.mkdir()
    for number, photo in enumerate(photos[:4]):
        shutil.copyfile(photo, references / f"{number}{photo.suffix}")
    for name, preset in PRESETS.items():
        if not recipe_file(name).is_file():
            print(f"left out: {name}: no such recipe yet")
            continue
        try:
            place, overrides = learned_step(name), []
            if is_full or not is_shipped(name):
                model = exported(preset.removesuffix("-small") if is_full else preset, folder)
                overrides = [f"{place}.model={model}"]
            if "reference" in table_at(name, place):
                overrides.append(f"{place}.reference={references}")
            for device in devices:
                recipe = load_recipe(name, overrides=[*overrides, f"{place}.device={device}"])
                yield Way(f"{name}, {recipe.learned[0].card.name}, {device}", recipe, LONGER)
        except (UsageError, PresetError) as error:
            print(f"left out: {name}: {error}")


def is_shipped(recipe: str) -> bool:
    """The model that the recipe names comes with degrade."""
    try:
        load_recipe(recipe)
    except MissingModelError:
        return False
    return True


def learned_step(recipe: str) -> str:
    """Where the recipe's learned step stands, such as `lr.0`."""
    return next(_learned_steps(_table(recipe), ""))


def table_at(recipe: str, place: str) -> dict[str, Any]:
    found: Any = _table(recipe)
    for key in place.split("."):
        found = found[int(key)] if isinstance(found, list) else found[key]
    return found


def _table(recipe: str) -> dict[str, Any]:
    """The recipe's file as it stands: its model may not be there yet."""
    return tomllib.loads(recipe_file(recipe).read_text(encoding="utf-8"))


def recipe_file(recipe: str) -> Path:
    return Path(str(resources.files("degrade") / "recipes" / f"{recipe}.toml"))


def _learned_steps(value: Any, place: str) -> Iterator[str]:
    if isinstance(value, dict) and value.get("op") == "learned":
        yield place
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _learned_steps(inner, f"{place}.{key}" if place else str(key))


def exported(preset: str, folder: Path) -> Path:
    """The degrader of the preset's first stage, untrained, as a file that may be run."""
    out = folder / f"{preset}.pt"
    if not out.exists():
        stage = load_preset(preset).stages[0]
        networks = build_networks(stage, seed=0)
        role = next(role for role, plan in stage.networks.items() if plan.type in DEGRADERS)
        model = folder / "untrained" / f"{preset}.safetensors"
        model.parent.mkdir(exist_ok=True)
        save_model(model, stage.networks[role].type, networks[role], {})
        export_degrader(model, out, Words(name=f"untrained {preset}"))
    return out


def steady(recipe: Recipe, photos: Sequence[Path], longer: int, workers: int) -> Cost:
    """What a long run costs more than a short one."""
    short = timed(recipe, photos, PATCHES, 1, workers)
    if recipe.unit == "photo":  # once a photograph and variant, however many patches
        return timed(recipe, photos, PATCHES, longer, workers) - short
    return timed(recipe, photos, PATCHES * longer, 1, workers) - short


def timed(recipe: Recipe, photos: Sequence[Path], patches: int, variants: int, workers: int) -> Cost:
    with tempfile.TemporaryDirectory() as folder:
        cpu, clock = cpu_seconds(), time.perf_counter()
        out = Path(folder, "set")
        made = synthesize(photos, recipe, out, per_image=patches, variants=variants, workers=workers)
        return Cost(made.num_pairs, time.perf_counter() - clock, cpu_seconds() - cpu)


def cpu_seconds() -> float:
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def gpu() -> str:
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "none"


if __name__ == "__main__":
    main()
