"""Pages of HTML from the templates beside the package: one file, no script, nothing loaded from anywhere."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from typing import Any

import jinja2
import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from PIL import Image

from degrade import __version__
from degrade.report.draws import value_text, word_text
from degrade.report.histogram import histogram_svg


def page(template: str, **values: Any) -> str:
    """`templates/<template>.html` filled with `values`; names the template asks for and does not get are an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("degrade", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "short": value_text,
        "word": word_text,
        "words": lambda name: name.replace("_", " "),
        "histogram": _histogram,
    }
    return environment.get_template(f"{template}.html").render(version=__version__, **values)


def embedded(pixels: NDArray[np.uint8]) -> str:
    """(H, W, 1 or 3) uint8 as a data URI of a PNG."""
    file = io.BytesIO()
    Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


def _histogram(found: Mapping[str, Any], title: str) -> Markup:
    drawing = histogram_svg(found["edges"], found["counts"], title=title, unit=found.get("unit", ""))
    return Markup(drawing)  # made of numbers and of text that was escaped there
