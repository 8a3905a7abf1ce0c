"""What a run folder says of itself: its model's metadata and its diary."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOG = "log.jsonl"
_MAX_LOG_BYTES = 1 << 28


@dataclass(frozen=True)
class Curve:
    """One quantity over the steps of a run."""

    name: str
    points: tuple[tuple[float, float], ...]  # (step, value)


@dataclass(frozen=True)
class Diary:
    """What was logged while a network trained; everything empty where there is no log."""

    losses: tuple[Curve, ...] = ()
    psnr: Curve | None = None
    ssim: Curve | None = None
    psnr_bicubic: float | None = None
    lr_psnr: Curve | None = None  # of a degrader's LR
    lr_baseline: tuple[str, float] | None = None  # what it is compared with, and that one's PSNR
    stages: tuple[tuple[str, float], ...] = ()  # name, last step
    seconds: float = 0.0
    steps: int = 0


def read_diary(folder: Path) -> Diary:
    """The diary in `folder`; lines that are no whole record (a kill may leave one) are passed over."""
    path = folder / LOG
    if not path.is_file() or path.stat().st_size > _MAX_LOG_BYTES:
        return Diary()
    records = [record for line in path.read_text("utf-8", "replace").splitlines() if (record := _record(line))]
    if not records:
        return Diary()
    names = dict.fromkeys(name for record in records for name in _losses(record))
    scored = [record for record in records if _is_number(record.get("psnr"))]
    baselines = [record["psnr_bicubic"] for record in scored if _is_number(record.get("psnr_bicubic"))]
    ends = {str(record.get("stage", "")): (record["step"], record.get("seconds", 0.0)) for record in records}
    return Diary(
        losses=tuple(
            Curve(name, tuple((r["step"], _losses(r)[name]) for r in records if name in _losses(r))) for name in names
        ),
        psnr=_curve("psnr", scored),
        ssim=_curve("ssim", scored),
        psnr_bicubic=baselines[-1] if baselines else None,
        lr_psnr=_curve("lr_psnr", records),
        lr_baseline=_lr_baseline(records),
        stages=tuple((name, step) for name, (step, _) in ends.items()),
        seconds=sum(seconds for _, seconds in ends.values() if _is_number(seconds)),
        steps=records[-1]["step"],
    )


def facts(
    name: str, parameters: int, metadata: Mapping[str, str], diary: Diary, overlap: int | None
) -> list[tuple[str, str]]:
    """The model card: what it is and where it comes from, as (label, text) lines."""
    config = ", ".join(f"{key} {value}" for key, value in _table(metadata.get("config")).items() if key != "scale")
    radius = "the whole picture (it pools over it)" if overlap is None else f"{overlap} input pixels on every side"
    lines = [
        ("Network", f"{name}, x{metadata.get('scale', '?')}" + (f" ({config})" if config else "")),
        ("Parameters", f"{parameters:,}"),
        ("Sees", radius),
        ("Preset", _preset_name(metadata.get("preset", ""))),
        ("Steps", f"{int(metadata['steps']):,}" if metadata.get("steps", "").isdigit() else ""),
        ("Trained for", duration(diary.seconds) if diary.seconds else ""),
        ("Shards", metadata.get("shards", "")),
        ("Weights", f"SHA-256 {metadata['sha256']}" if "sha256" in metadata else ""),
        ("Licence", metadata.get("licence", "")),
    ]
    return [(label, text) for label, text in lines if text]


def duration(seconds: float) -> str:
    """`2 h 05 min`, `3 min 12 s`, `48 s`."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    return f"{whole // 60} min {whole % 60:02d} s" if whole >= 60 else f"{whole} s"


def _preset_name(text: str) -> str:
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if key.strip() == "name":
            return value.strip().strip('"')
    return ""


def _curve(name: str, records: Sequence[Mapping[str, Any]]) -> Curve | None:
    points = tuple((record["step"], record[name]) for record in records if _is_number(record.get(name)))
    return Curve(name, points) if points else None


def _lr_baseline(records: Sequence[Mapping[str, Any]]) -> tuple[str, float] | None:
    for key, name in (("lr_psnr_bicubic", "bicubic LR"), ("lr_psnr_identity", "HR itself")):
        values = [record[key] for record in records if _is_number(record.get(key))]
        if values:
            return name, values[-1]
    return None


def _record(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and _is_number(record.get("step")) else None


def _losses(record: Mapping[str, Any]) -> dict[str, float]:
    losses = record.get("losses")
    return {k: v for k, v in losses.items() if _is_number(v)} if isinstance(losses, dict) else {}


def _table(text: str | None) -> dict[str, Any]:
    try:
        table = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
