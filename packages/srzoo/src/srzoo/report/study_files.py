"""The files of a study: which are missing and who makes them, and the figures that references point at."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NoReturn

from degrade.schema import nearest
from srzoo.errors import IntegrityError, UsageError
from srzoo.report.study_spec import MeasureSpec, Number, Reference

_MAX_BYTES = 1 << 28  # of JSON
_FEW = 4  # missing files that are named


@dataclass(frozen=True)
class Measure:
    """How a figure is printed; `sign` is +1 where larger is better, -1 where smaller is, 0 where neither is."""

    heading: str
    digits: int
    sign: int

    def printed(self, value: float) -> str:
        """A dash for what could not be taken."""
        return f"{value:,.{self.digits}f}" if math.isfinite(value) else "∞" if value == math.inf else "-"


MEASURES: dict[str, Measure] = {  # the figures of `srzoo evaluate`, in the digits that papers print
    "psnr": Measure("PSNR dB", 2, 1),
    "ssim": Measure("SSIM", 4, 1),
    "lpips": Measure("LPIPS", 4, -1),
    "niqe": Measure("NIQE", 2, -1),
    "shift": Measure("colour shift", 2, -1),
    "flat_noise": Measure("flat noise", 2, -1),
    "gain": Measure("gain dB", 2, 1),
    "seconds": Measure("s/MP", 2, -1),
    "megabytes": Measure("MB/MP", 0, -1),
    "parameters": Measure("parameters", 0, -1),
    # of `srzoo evaluate-degrader`
    "std": Measure("noise", 2, 0),
    "std_error": Measure("noise by brightness", 3, -1),
    "std_error_worst": Measure("worst brightness", 3, -1),
    "spectrum_error": Measure("spectrum dB", 2, -1),
    "spectrum_shape_error": Measure("grain dB", 2, -1),
    "correlation_error": Measure("channels", 3, -1),
    # of `srzoo tell-apart`
    "accuracy": Measure("critic's accuracy", 3, -1),
    "auc": Measure("critic's AUC", 3, -1),
    # of `srzoo follow-noise`
    "correlation": Measure("correlation", 3, 1),
    "slope": Measure("slope", 2, 0),
}
_SIGNS = {"higher": 1, "lower": -1, "neither": 0}


def measures(specs: Mapping[str, MeasureSpec], *, origin: str) -> dict[str, Measure]:
    """`MEASURES` with what a study says of its own.

    Raises:
        UsageError: an unknown measure of which not everything is said.
    """
    known = dict(MEASURES)
    for key, spec in specs.items():
        old = known.get(key)
        if old is None and (spec.digits is None or not spec.better):
            raise UsageError(f"{origin}: measures.{key}", "digits and better are missing", "state both")
        known[key] = Measure(
            spec.heading or (old.heading if old else key),
            spec.digits if spec.digits is not None else old.digits if old else 0,
            _SIGNS[spec.better] if spec.better else old.sign if old else 0,
        )
    return known


class StudyFiles:
    """Files relative to `root`, each JSON read once. `hints` are cures by a pattern of names."""

    def __init__(self, root: Path, hints: Mapping[str, str], known: Mapping[str, Measure] = MEASURES) -> None:
        self.root, self._hints, self._known = root, hints, known
        self._read: dict[str, Any] = {}

    def path(self, name: str) -> Path:
        return self.root / name

    def require(self, names: Sequence[str]) -> None:
        """Raises `UsageError` naming those of `names` that are not there, with the cure of the first."""
        missing = [name for name in names if not self.path(name).exists()]
        if not missing:
            return
        others = ", ".join(missing[1:_FEW]) + (", ..." if len(missing) > _FEW else "")
        more = f", nor {'are' if missing[2:] else 'is'} {others}" if missing[1:] else ""
        cure = self._hint(missing[0]) or "make it, or take it out of the study"
        raise UsageError(self.path(missing[0]), f"is not there{more}", cure)

    def measure(self, key: str) -> Measure:
        """Raises `UsageError` for one that nobody described."""
        if key not in self._known:
            near = nearest(key, self._known)
            raise UsageError(f"measure {key}", "unknown", f"{near}; or describe it under [measures.{key}]")
        return self._known[key]

    def number(self, value: Number) -> float:
        """`value` itself, or the figure it refers to; NaN where that is null.

        Raises:
            UsageError: no such file, or nothing in it under that name. IntegrityError: the file is no JSON.
        """
        if not isinstance(value, str):
            return value
        file, mark, inside = value.partition("#")
        if not mark or not inside:
            raise UsageError(value, "is no reference", "write it as FILE#SET/MODEL/MEASURE")
        table = self.json(file)
        if _is_evaluation(table):
            return _figure(value, table, inside)
        for key in inside.split("/"):
            table = _entry(value, table, key)
        return _number(value, table)

    def mean(self, file: str, set_name: str, model: str, measure: str) -> float | None:
        """The figure of `model` on a set in a file of `srzoo evaluate --json`: NaN where it is null, None where only
        other models have it, as bicubic has no gain over itself."""
        reference = f"{file}#{set_name}/{model}/{measure}"
        figures = _of_set(reference, self.evaluation(file), set_name)
        if model in figures and measure not in figures[model] and any(measure in one for one in figures.values()):
            return None
        return self.number(reference)

    def pictures(self, file: str, set_name: str) -> int | None:
        """How many a set of `srzoo evaluate --json` has; None where the file does not list them."""
        table = self.evaluation(file)
        _of_set(f"{file}#{set_name}", table, set_name)
        images = next(one.get("images") for one in table["sets"] if one["name"] == set_name)
        return len(images) if isinstance(images, list) else None

    def json(self, file: str) -> Any:
        if file not in self._read:
            self._read[file] = self._load(file)
        return self._read[file]

    def evaluation(self, file: str) -> dict[str, Any]:
        """Raises `UsageError` if `file` is none of `srzoo evaluate --json`."""
        table = self.json(file)
        if not _is_evaluation(table):
            raise UsageError(self.path(file), "holds no evaluation", "make it with `srzoo evaluate --json`")
        return table

    def _load(self, file: str) -> Any:
        self.require([file])
        path = self.path(file)
        cure = self._hint(file) or "make it again"
        if not path.is_file() or path.stat().st_size > _MAX_BYTES:
            raise UsageError(path, f"is no file of up to {_MAX_BYTES >> 20} MiB", cure)
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise IntegrityError(path, f"is no JSON: {error}", cure) from None

    def _hint(self, name: str) -> str:
        return next((cure for pattern, cure in self._hints.items() if fnmatchcase(name, pattern)), "")


def _is_evaluation(table: Any) -> bool:
    sets = table.get("sets") if isinstance(table, dict) else None
    return isinstance(sets, list) and all(
        isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get("mean"), dict) for one in sets
    )


def _figure(reference: Reference, table: Mapping[str, Any], inside: str) -> float:
    names = [one["name"] for one in table["sets"]]
    name = max((name for name in names if inside.startswith(f"{name}/")), key=len, default=inside.partition("/")[0])
    figures = _of_set(reference, table, name)
    model, _, key = inside.removeprefix(f"{name}/").rpartition("/")
    if model not in figures:
        _absent(reference, "model", model, figures)
    if key not in figures[model]:
        _absent(reference, "measure", key, figures[model])
    return _number(reference, figures[model][key])


def _of_set(reference: Reference, table: Mapping[str, Any], name: str) -> dict[str, dict[str, Any]]:
    """The figures of each model, what the file says of the model itself included."""
    means = {one["name"]: one["mean"] for one in table["sets"]}
    if name not in means:
        _absent(reference, "set", name, means)
    return {model: _costs(table, model) | figures for model, figures in means[name].items()}


def _costs(table: Mapping[str, Any], model: str) -> dict[str, Any]:
    """What the file says of the model itself, whatever the set."""
    found = next((one for one in table.get("models", []) if one.get("name") == model), {})
    return {key: value for key, value in found.items() if key not in {"name", "what"} and value is not None}


def _entry(reference: Reference, table: Any, key: str) -> Any:
    if isinstance(table, list) and key.isdigit() and int(key) < len(table):
        return table[int(key)]
    if not isinstance(table, dict) or key not in table:
        _absent(reference, "entry", key, table if isinstance(table, dict) else ())
    return table[key]


def _number(reference: Reference, value: Any) -> float:
    if value is None:
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(reference, "is no number", "refer to one")
    return float(value)


def _absent(reference: Reference, kind: str, name: str, known: Any) -> NoReturn:
    raise UsageError(reference, f"no {kind} {name!r} there", nearest(name, map(str, known)))
