"""What a person looks at: contact sheets, and pages of HTML that need nothing else.

`sheet` draws pictures in a grid, `draws` words a trace, `histogram` draws bars, `page` fills the templates.
"""

from degrade.report.draws import drawn_fields, step_line, trace_lines, value_text, word_text
from degrade.report.histogram import histogram_line, histogram_svg
from degrade.report.sheet import GREY, WHITE, Cell, contact_sheet

__all__ = [
    "GREY",
    "WHITE",
    "Cell",
    "contact_sheet",
    "drawn_fields",
    "histogram_line",
    "histogram_svg",
    "step_line",
    "trace_lines",
    "value_text",
    "word_text",
]
