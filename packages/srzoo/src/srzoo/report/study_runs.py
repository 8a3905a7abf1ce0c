"""Training runs of a study: time, held-out PSNR and losses over steps."""

from __future__ import annotations

from dataclasses import dataclass, replace

from srzoo.errors import UsageError
from srzoo.report.page import charts, gain
from srzoo.report.run import LOG, Curve, Diary, duration, read_diary
from srzoo.report.study_files import StudyFiles
from srzoo.report.study_spec import RunSpec

_MOST_POINTS = 400  # of a curve on the page


@dataclass(frozen=True)
class RunView:
    """A run, ready for the page: `facts` in words, `charts` as SVG."""

    label: str
    facts: str
    charts: tuple[str, ...]


def run_view(spec: RunSpec, files: StudyFiles) -> RunView:
    """`spec` with its curves.

    Raises:
        UsageError: a folder without a diary.
    """
    folder = files.path(spec.folder)
    diary = read_diary(folder)
    if not diary.steps:
        raise UsageError(folder / LOG, "holds no steps of a training", "train it first")
    shown = _thinned(diary if spec.losses else replace(diary, losses=()))
    return RunView(spec.label, _facts(diary), tuple(charts(shown)))


def _facts(diary: Diary) -> str:
    words = [f"{diary.steps:,} steps in {duration(diary.seconds)}"]
    if diary.psnr:
        last = diary.psnr.points[-1][1]
        words.append(f"held-out PSNR (Y) {last:.2f} dB")
        if diary.psnr_bicubic is not None:
            words.append(f"{gain(last - diary.psnr_bicubic)} over bicubic")
    if diary.lr_psnr:
        last = diary.lr_psnr.points[-1][1]
        words.append(f"held-out LR PSNR (Y) {last:.2f} dB")
        if diary.lr_baseline is not None:
            name, value = diary.lr_baseline
            words.append(f"{gain(last - value)} over {name}")
    return ", ".join(words) + "."


def _thinned(diary: Diary) -> Diary:
    """Every n-th point of long curves, their last one too: a page holds many runs."""
    psnr, lr_psnr = (None if curve is None else _thin(curve) for curve in (diary.psnr, diary.lr_psnr))
    return replace(diary, losses=tuple(_thin(curve) for curve in diary.losses), psnr=psnr, lr_psnr=lr_psnr)


def _thin(curve: Curve) -> Curve:
    stride = -(-len(curve.points) // _MOST_POINTS)
    return replace(curve, points=curve.points[::-1][::stride][::-1])
