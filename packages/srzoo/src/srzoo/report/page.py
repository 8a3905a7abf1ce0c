"""The page itself: what was measured, laid out by `templates/report.html`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import jinja2
import torch

from srzoo import __version__
from srzoo.report.chart import Line, fits_log, line_chart, smoothed
from srzoo.report.kinds import Kinds
from srzoo.report.pictures import Shown
from srzoo.report.run import Curve, Diary, duration, facts
from srzoo.upscale.upscaler import Upscaler

_SMOOTHED_FROM = 24  # points; shorter curves are drawn as they are
_MOST_LOSSES = 6


@dataclass(frozen=True)
class Figure:
    """A number at the top, and what it means."""

    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Page:
    """Everything the template shows."""

    title: str
    subtitle: str
    figures: tuple[Figure, ...]
    shown: tuple[Shown, ...]
    kinds: Kinds | None
    charts: tuple[str, ...]
    training: str
    sheet: str
    sheet_note: str
    card: tuple[tuple[str, str], ...]
    preset: str
    footer: str
    scale: int

    @property
    def has_truth(self) -> bool:
        return any(shown.ours for shown in self.shown)


def page_of(
    title: str,
    upscaler: Upscaler,
    diary: Diary,
    *,
    shown: Sequence[Shown] = (),
    kinds: Kinds | None = None,
    sheet: str = "",
    sheet_note: str = "",
) -> Page:
    """The page of one model. `sheet` is a data URI."""
    model = upscaler.model
    parameters = sum(weights.numel() for weights in model.network.parameters())
    return Page(
        title=title,
        subtitle=f"{model.name} x{model.scale}, {parameters:,} parameters",
        figures=tuple(_figures(diary, shown, kinds)),
        shown=tuple(shown),
        kinds=kinds,
        charts=tuple(charts(diary)),
        training=_training(diary),
        sheet=sheet,
        sheet_note=sheet_note,
        card=tuple(facts(model.name, parameters, model.metadata, diary, model.overlap)),
        preset=model.metadata.get("preset", ""),
        footer=f"Made by srzoo {__version__} on {_machine(upscaler)}. This file needs nothing else.",
        scale=model.scale,
    )


def rendered(page: Page) -> str:
    """`page` as HTML with everything in it."""
    environment = templates()
    environment.filters["db"] = lambda value: f"{value:.2f} dB"
    environment.filters["gain"] = gain
    return environment.get_template("report.html").render(page=page)


def templates() -> jinja2.Environment:
    """The folder `templates`; what is put in is escaped, and a name that is not there is an error."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("srzoo", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def gain(value: float) -> str:
    """`+1.42 dB`."""
    return f"{value:+.2f} dB"


def charts(diary: Diary) -> list[str]:
    """Held-out PSNR beside bicubic's, a degrader's LR PSNR beside what there was without it, then each loss."""
    drawn = []
    marks = [(step, number) for number, (_, step) in enumerate(diary.stages[:-1], start=2)]
    if diary.psnr and len(diary.psnr.points) > 1:
        lines = [Line("ours", diary.psnr.points)]
        if diary.psnr_bicubic is not None:
            ends = [(0.0, diary.psnr_bicubic), (diary.psnr.points[-1][0], diary.psnr_bicubic)]
            lines.append(Line("bicubic", ends, "bicubic"))
        title = "PSNR (Y) of held-out pairs"
        drawn.append(line_chart(lines, title=title, x_label="step", y_label="dB", marks=marks))
    if diary.lr_psnr and len(diary.lr_psnr.points) > 1:
        lines = [Line("ours", diary.lr_psnr.points)]
        if diary.lr_baseline is not None:
            name, value = diary.lr_baseline
            lines.append(Line(name, [(0.0, value), (diary.lr_psnr.points[-1][0], value)], "bicubic"))
        title = "LR PSNR (Y) of held-out pairs"
        drawn.append(line_chart(lines, title=title, x_label="step", y_label="dB", marks=marks))
    return drawn + [_loss_chart(curve, marks) for curve in diary.losses[:_MOST_LOSSES] if len(curve.points) > 1]


def _loss_chart(curve: Curve, marks: Sequence[tuple[float, float]]) -> str:
    is_log = fits_log([value for _, value in curve.points])
    lines = [Line("", curve.points)]
    if len(curve.points) >= _SMOOTHED_FROM:
        lines = [Line("logged", curve.points, "raw"), Line("mean", smoothed(curve.points))]
    label = "loss (log scale)" if is_log else "loss"
    return line_chart(
        lines, title=f"Training loss: {curve.name}", x_label="step", y_label=label, log_y=is_log, marks=marks
    )


def _figures(diary: Diary, shown: Sequence[Shown], kinds: Kinds | None) -> list[Figure]:
    figures = []
    if kinds is not None:
        figures.append(Figure("Over bicubic", gain(kinds.total.gain), f"PSNR (Y), mean of {kinds.total.count} pairs"))
    elif diary.psnr and diary.psnr_bicubic is not None:
        value = diary.psnr.points[-1][1] - diary.psnr_bicubic
        figures.append(Figure("Over bicubic", gain(value), "PSNR (Y) of held-out pairs while training"))
    known = [one.gain for one in shown if one.gain is not None]
    if known:
        what = "the photograph below" if len(known) == 1 else f"the {len(known)} photographs below, mean"
        figures.append(Figure("Here", gain(sum(known) / len(known)), f"PSNR (Y) over bicubic on {what}"))
    if diary.steps:
        figures.append(Figure("Trained", duration(diary.seconds), f"{diary.steps:,} steps"))
    if shown:
        pixels = sum(one.size[0] * one.size[1] for one in shown) / 1e6
        pace = sum(one.seconds for one in shown) / pixels
        figures.append(Figure("Speed", f"{pace:.2f} s", "per megapixel of output, on the machine named at the end"))
    return figures


def _training(diary: Diary) -> str:
    text = f"{diary.steps:,} steps in {duration(diary.seconds)}."
    if len(diary.stages) > 1:
        names = "; ".join(f"{number} {name}" for number, (name, _) in enumerate(diary.stages, start=1))
        text += f" Stages, each beginning at its dotted line: {names}."
    return text


def _machine(upscaler: Upscaler) -> str:
    if upscaler.engine.device.type != "cpu":
        return str(upscaler.engine.device)
    precision = "bf16" if upscaler.facts.is_fast else "fp32"
    threads = torch.get_num_threads()
    return f"the CPU with {threads} thread{'s' * (threads > 1)} in {precision}"
