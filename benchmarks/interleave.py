"""Ways to do one thing, timed in turn within one run, so that a machine that slows down slows them all.

What counts is a process's CPU time: on a shared machine it moves less than the clock on the wall.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parent / "results"


def rates(
    ways: Mapping[str, Callable[[], int]],
    *,
    repeats: int = 5,
    seconds: float = 0.4,
    clock: Callable[[], float] = time.process_time,
) -> dict[str, list[float]]:
    """Units a second of every way, one figure a repeat; a call does some units and returns how many."""
    for way in ways.values():  # compile, fill caches
        way()
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            done, start = 0, clock()
            while (spent := clock() - start) < seconds:
                done += way()
            found[name].append(done / spent)
    return found


def medians(found: Mapping[str, list[float]]) -> dict[str, float]:
    return {name: statistics.median(values) for name, values in found.items()}


def machine(*packages: str) -> dict[str, Any]:
    """What the figures depend on; no name of the machine."""
    model = platform.processor()
    if Path("/proc/cpuinfo").exists():
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), model)
    versions = {}
    for package in packages:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "absent"
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"cpu": model, "cores": cores, "python": platform.python_version(), "packages": versions}


def save(name: str, result: Mapping[str, Any]) -> Path:
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(result, indent=1, sort_keys=False) + "\n", encoding="utf-8")
    return path


def print_rates(title: str, unit: str, found: Mapping[str, list[float]], reference: str) -> None:
    """A table: median, lowest, highest, and how many times slower than the row `reference`."""
    best = statistics.median(found[reference])
    print(f"\n{title}\n{'':58}{unit:>12}{'lowest':>10}{'highest':>10}{'times slower':>14}")
    for name, values in sorted(found.items(), key=lambda item: -statistics.median(item[1])):
        median = statistics.median(values)
        row = f"{name[:57]:58}{median:12,.0f}{min(values):10,.0f}{max(values):10,.0f}{best / median:14.2f}"
        print(row)


def print_target(name: str, wanted: float, got: float, reason: str = "", *, at_most: bool = False) -> dict[str, Any]:
    """One line, reached or not; the reason is printed only where it is not."""
    reached = got <= wanted if at_most else got >= wanted
    sign = "<=" if at_most else ">="
    print(f"{'reached    ' if reached else 'NOT reached'}  {name}: {got:,.2f} (target {sign} {wanted:,.2f})")
    if not reached and reason:
        print(f"             {reason}")
    row: dict[str, Any] = {"target": name, "wanted": wanted, "at_most": at_most, "got": round(got, 3)}
    return row | {"reached": reached} | ({} if reached else {"reason": reason})
