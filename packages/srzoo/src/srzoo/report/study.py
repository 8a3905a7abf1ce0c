"""The page of a whole chain of experiments: tables, claims, zoomed crops and training curves, by `study_spec`.

`study_files` reads figures, `study_tables`, `study_claims`, `study_pictures` and `study_runs` make the parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from srzoo import __version__
from srzoo.errors import UsageError
from srzoo.report.page import templates
from srzoo.report.study_claims import Verdict, verdict
from srzoo.report.study_files import StudyFiles, measures
from srzoo.report.study_pictures import PicturesView, pictures_view
from srzoo.report.study_runs import RunView, run_view
from srzoo.report.study_spec import Section, Study
from srzoo.report.study_tables import Papers, TableView, table_view


@dataclass(frozen=True)
class SectionView:
    heading: str
    text: tuple[str, ...]  # paragraphs
    tables: tuple[TableView, ...]
    verdicts: tuple[Verdict, ...]
    pictures: tuple[PicturesView, ...]
    runs: tuple[RunView, ...]


@dataclass(frozen=True)
class StudyPage:
    """Everything the template shows."""

    title: str
    intro: tuple[str, ...]
    sections: tuple[SectionView, ...]
    footer: str = f"Made by srzoo {__version__}. This file needs nothing else."

    @property
    def verdicts(self) -> list[Verdict]:
        return [one for section in self.sections for one in section.verdicts]


def study_page(study: Study, root: Path, papers: Papers | None = None, *, origin: str = "the study") -> StudyPage:
    """`study` with its figures, pictures and verdicts.

    Args:
        root: the folder its files are relative to.
        papers: the published tables of each of `study.papers()`.
        origin: where the study stands, for errors.

    Raises:
        UsageError: files that are missing, or do not hold what is asked of them. ImageError, IntegrityError: damaged.
    """
    files = StudyFiles(root, study.hints, measures(study.measures, origin=origin))
    files.require(study.files())
    sections = []
    for number, section in enumerate(study.sections):
        try:
            sections.append(_section(section, files, papers or {}))
        except UsageError as error:
            place = f"{origin}: sections.{number}: {error.subject}"
            raise UsageError(place, error.problem, error.cure) from None
    return StudyPage(study.title, _paragraphs(study.intro), tuple(sections))


def rendered_study(page: StudyPage) -> str:
    """`page` as HTML with everything in it."""
    return templates().get_template("study.html").render(page=page)


def _section(section: Section, files: StudyFiles, papers: Papers) -> SectionView:
    return SectionView(
        section.heading,
        _paragraphs(section.text),
        tuple(table_view(spec, files, papers) for spec in section.tables),
        tuple(verdict(claim, files) for claim in section.claims),
        tuple(pictures_view(spec, files) for spec in section.pictures),
        tuple(run_view(spec, files) for spec in section.runs),
    )


def _paragraphs(text: str) -> tuple[str, ...]:
    """What empty lines separate, each on one line."""
    return tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())
