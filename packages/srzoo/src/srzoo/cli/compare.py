"""`srzoo compare`: models side by side on one page, a blind study of them, and what its raters said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from degrade.errors import DegradeError, ImageError, InputsSkippedError, UsageError, printable

if TYPE_CHECKING:
    from degrade.image import Pixels
    from srzoo.cli.contestants import Contestant
    from srzoo.report.compare_files import Folder
    from srzoo.report.ratings import By
    from srzoo.report.trials import Entry, Trial

_EXAMPLES = """\b
Examples:
  srzoo compare photo.jpg -m ours=runs/a -m bicubic          compare.html: zoomed and moved together
  srzoo compare photos/ -m A=runs/a -m B=rcan.pth -m fused=ren2020:A,B -o abc.html
  srzoo compare --pictures A=results/a --pictures B=results/b --hr truth/
  srzoo compare --rate photos/ -m A=runs/a -m B=runs/b       rate.html for raters, rate.key.json for you
  srzoo compare --rate --by rank --pictures A=a/ --pictures B=b/ --crop 256 --count 2
  srzoo compare --results ann.json ben.json --key rate.key.json
"""

_NOTES = """\b
Crops lie where the methods differ most from each other; all pictures are lossless.

\b
--rate makes a page for a blind study: methods have no names, every rater sees photographs and methods in
an order drawn by a seed in the page (rate.html#seed=7 states one), scores them from 0 to 5 (5: as the
reference, or natural where there is none) or ranks them, by mouse, finger or keys, and saves a file.
Nothing is sent. Names are in rate.key.json alone: keep it, and give the raters only the page.

\b
--results prints the mean opinion score with its 95 % confidence interval (Student's t, ratings taken as
independent), the mean opinion rank (1 is best; scores make ranks where none were asked for, equal ones
tie), who was preferred how often, and agreement: Kendall's W and Spearman's correlation of raters on
each crop, averaged; W is about 1 / raters by chance, Spearman 0.
"""


@click.command(epilog=f"{_NOTES}\n{_EXAMPLES}")
@click.argument("files", metavar="[IMG...]", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "-m",
    "--model",
    "models",
    metavar="[NAME=]MODEL",
    multiple=True,
    help="As for `srzoo evaluate`: a run, a file, `bicubic`, or two fused; repeatable.",
)
@click.option(
    "--pictures",
    metavar="[NAME=]DIR",
    multiple=True,
    help="Results that are there already, named as the photographs (or NAME_x4); repeatable.",
)
@click.option("--hr", "truth", metavar="PATH", type=click.Path(path_type=Path), help="The truth, where it is known.")
@click.option("-s", "--scale", metavar="N", type=click.IntRange(1, 16), help="[default: the models' own]")
@click.option("--crop", metavar="PIXELS", type=click.IntRange(0), help="0: whole.  [default: 1024; 320 to rate]")
@click.option("--count", metavar="N", type=click.IntRange(1, 16), default=1, show_default=True, help="Crops a photo.")
@click.option("--rate", is_flag=True, help="A page for a blind study, and its key.")
@click.option(
    "--by", type=click.Choice(["score", "rank", "both"]), default="score", show_default=True, help="What raters give."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of what stands for the names in the page.")
@click.option("--results", is_flag=True, help="What raters said: the files are their ratings.")
@click.option("--key", metavar="FILE", type=click.Path(path_type=Path), help="The study's key, for --results.")
@click.option("--json", "as_json", is_flag=True, help="Of --results: everything, as JSON.")
@click.option("--title", metavar="TEXT", help="Of the page.")
@click.option(
    "-o", "--output", metavar="FILE", type=click.Path(path_type=Path), help="[default: compare.html, rate.html]"
)
@click.option("-t", "--tile", metavar="PIXELS", type=click.IntRange(0), help="As for `srzoo upscale`.")
@click.option("--overlap", metavar="PIXELS", type=click.IntRange(0), help="As for `srzoo upscale`.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
@click.option("--threads", metavar="N", type=click.IntRange(1), help="CPU threads. [default: all cores]")
@click.option("--precision", type=click.Choice(["auto", "fp32", "bf16"]), default="fp32", show_default=True)
def command(
    files: tuple[Path, ...],
    models: tuple[str, ...],
    pictures: tuple[str, ...],
    truth: Path | None,
    scale: int | None,
    crop: int | None,
    count: int,
    rate: bool,
    by: By,
    seed: int,
    results: bool,
    key: Path | None,
    as_json: bool,
    title: str | None,
    output: Path | None,
    tile: int | None,
    overlap: int | None,
    device: str,
    threads: int | None,
    precision: Any,
) -> None:
    """Show several methods' results of the same photographs on one page that needs nothing else.

    IMG are the photographs to enlarge, or folders of them; with --pictures alone they may be left out.
    """
    if results:
        _check_results(files, key, made=bool(models or pictures or rate))
        from srzoo.cli.opinions import show_opinions

        return show_opinions(files, key or Path(), as_json=as_json)
    target = _target(output, rate=rate)
    _check_inputs(files, models, pictures)
    from srzoo.cli.enlargers import Running

    there = _methods(files, models, pictures, truth, scale, Running(tile, overlap, device, threads, precision))
    if rate and len(there.sentences) < 2:
        raise UsageError("--rate", "only one method", "name two: -m A=RUN -m bicubic")
    trials, left_out = _trials(there, crop if crop is not None else (320 if rate else 1024), count)
    if rate:
        _write_study(target, trials, there.sentences, by=by, seed=seed, title=title or "")
    else:
        _write_comparison(target, trials, there.sentences, title or "Comparison")
    if left_out:
        subject = f"{left_out} of {len(there.photos)} photographs"
        raise InputsSkippedError(subject, "not on the page, see above", "mend or remove them")
    return None


@dataclass(frozen=True)
class _Methods:
    """What makes or has results of `photos` (name, file to enlarge). `sentences` says what each method is, by name."""

    photos: Sequence[tuple[str, Path | None]]
    models: Sequence[Contestant]
    folders: dict[str, Folder]
    truth: Folder | None
    scale: int
    sentences: dict[str, str]

    def entry(self, name: str, path: Path | None) -> Entry:
        """One photograph through every method."""
        from degrade.codecs import read, rgb8
        from srzoo.report.trials import Entry

        photo = None if path is None else rgb8(read(path))
        made: dict[str, Pixels] = {}
        if photo is not None and self.models:
            from srzoo.evaluate import made_by

            height, width = (self.scale * length for length in photo.shape[:2])
            every = made_by([one.method for one in self.models], photo, height, width)
            made |= {label: pixels for label, pixels in every.items() if label in self.sentences}
        made |= {label: rgb8(read(folder.of(name))) for label, folder in self.folders.items()}
        return Entry(name, made, photo, None if self.truth is None else rgb8(read(self.truth.of(name))))


def _methods(
    files: Sequence[Path],
    models: Sequence[str],
    pictures: Sequence[str],
    truth: Path | None,
    scale: int | None,
    running: Any,
) -> _Methods:
    from srzoo.cli.contestants import contestants, named
    from srzoo.evaluate import BICUBIC
    from srzoo.report.compare_files import read_folder

    folders = {}
    for text in pictures:
        name, path = named(text)
        label = name or Path(path).absolute().name
        if label in folders:
            raise UsageError(f"--pictures {text}", f"'{label}' is given twice", "name them: --pictures NAME=DIR")
        folders[label] = read_folder(f"--pictures {text}", Path(path))
    truths = None if truth is None else read_folder(f"--hr {truth}", truth)
    photos = _photos(files, [*folders.values(), *([truths] if truths else [])])
    there, factor = contestants(models, scale, running) if models or not pictures else ([], 1)
    # bicubic always comes along: it stays where it was asked for, or nothing was
    shown = {
        one.method.name: one.sentence or "MATLAB's bicubic"
        for one in there
        if one.method.name != BICUBIC or BICUBIC in models or not models
    }
    for label, folder in folders.items():
        if label in shown:
            raise UsageError(folder.option, f"'{label}' is a model's name, too", "give it another: --pictures NAME=DIR")
        shown[label] = f"the pictures of {folder.option.removeprefix('--pictures ').partition('=')[2] or label}"
    return _Methods(photos, there, folders, truths, factor, shown)


def _photos(files: Sequence[Path], folders: Sequence[Folder]) -> list[tuple[str, Path | None]]:
    """Name and file of each photograph: those given, or else what the first of `folders` has pictures of."""
    from degrade.codecs import EXTENSIONS
    from srzoo.report.compare_files import photos_of
    from srzoo.upscale.files import plan

    if not files:
        return [(name, None) for name in photos_of(folders)]
    todo = plan(files, None, scale=4, extensions=EXTENSIONS, force=True)  # for its search: nothing is written
    for refusal in todo.refused:
        raise refusal
    names = [job.source.stem for job in todo.jobs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if folders and twice is not None:
        raise UsageError(twice, "two photographs of this name", f"{folders[0].option} cannot tell them: rename one")
    return [(job.source.stem, job.source) for job in todo.jobs]


def _trials(there: _Methods, side: int, count: int) -> tuple[list[Trial], int]:
    """Those of every photograph that can be read, and how many cannot."""
    from srzoo.report.trials import trials_of

    trials: list[Trial] = []
    failures: list[DegradeError] = []
    for name, path in _with_progress(there.photos):
        try:
            trials += trials_of(there.entry(name, path), side, count)
        except ImageError as error:
            failures.append(error)
            click.echo(printable(f"srzoo: left out: {error}"), err=True)
    if not trials:
        raise failures[0]
    return trials, len(failures)


def _write_comparison(target: Path, trials: Sequence[Trial], sentences: dict[str, str], title: str) -> None:
    from srzoo.report.compare import ComparisonPage, compared, rendered_comparison

    page = ComparisonPage(title, [compared(trial) for trial in trials], list(sentences.items()))
    _write(target, rendered_comparison(page), f"{len(trials)} crops, {len(sentences)} methods")


def _write_study(
    target: Path, trials: Sequence[Trial], sentences: dict[str, str], *, by: By, seed: int, title: str
) -> None:
    from srzoo.report.blind import blind_study
    from srzoo.report.ratings import read_key

    study, key = blind_study(trials, sentences, by=by, seed=seed, title=title), target.with_suffix(".key.json")
    if key.exists() and read_key(key).study != study.key.study:
        raise UsageError(key, "is the key of another study", "its ratings need it: choose another -o, or move it away")
    _write(key, study.key.as_json(), "keep it to yourself")
    _write(target, study.html, f"{len(trials)} crops, {len(sentences)} methods, study {study.key.study[:8]}")


def _write(target: Path, text: str, remark: str) -> None:
    from degrade.atomic import write_bytes

    target.parent.mkdir(parents=True, exist_ok=True)
    data = text.encode()
    write_bytes(target, data)
    click.echo(printable(f"{target}  ({len(data) / 1e6:.1f} MB; {remark})"))


def _with_progress(photos: Sequence[tuple[str, Path | None]]) -> Iterator[tuple[str, Path | None]]:
    """A bar on stderr, on a terminal only, gone at the end."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(photos, "photographs", console=console, transient=True, disable=not console.is_terminal)


def _target(output: Path | None, *, rate: bool) -> Path:
    target = output or Path("rate.html" if rate else "compare.html")
    if target.suffix.lower() not in {".html", ".htm"}:
        raise UsageError(target, "is no name for a page", "end it in .html")
    return target


def _check_inputs(files: Sequence[Path], models: Sequence[str], pictures: Sequence[str]) -> None:
    """Before anything heavy is loaded."""
    if not files and (models or not pictures):
        raise UsageError("srzoo compare", "no photograph given", "srzoo compare photo.jpg -m A=RUN -m B=RUN")
    missing = next((path for path in files if not path.exists()), None)
    if missing is not None:
        raise ImageError(missing, "no such file or folder", "check the path")


def _check_results(files: Sequence[Path], key: Path | None, *, made: bool) -> None:
    usage = "srzoo compare --results ratings.json --key rate.key.json"
    if made:
        raise UsageError("--results", "only reads ratings: it goes with neither models, pictures nor --rate", usage)
    if not files or key is None:
        raise UsageError("--results", "no ratings given" if not files else "needs the study's --key", usage)
