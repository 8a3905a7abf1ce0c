"""The presets that ship, as text: names for the help of `srzoo train`, descriptions for its `--list`. Without torch."""

from __future__ import annotations

import textwrap
import tomllib
from importlib import resources

_TITLES = {  # by the ending of a name, which says of what kind it is
    "": "As published, and our own:",
    "-vgg34": "With VGG19 up to conv3_4, or relu3_4, only (--vgg-weights may be a truncated file):",
    "-half": "With halved adversarial terms:",
    "-small": "Twins for two CPU cores:",
}
_WIDTH = 98


def first_rank() -> str:
    """The names that are no variant of another, in lines of `--help`'s width."""
    return textwrap.fill(", ".join(_ranks()[""]), _WIDTH, break_on_hyphens=False)


def listing() -> str:
    """Every name with its description, a line each, under a title for each kind."""
    ranks = _ranks()
    width = max(len(name) for names in ranks.values() for name in names)
    lines: list[str] = []
    for rank, title in _TITLES.items():
        lines += ["", title, *(f"  {name:{width}}  {_description(name)}" for name in ranks[rank])]
    return "\n".join(lines[1:])


def _ranks() -> dict[str, list[str]]:
    """Names, in order, by their last ending."""
    ranks: dict[str, list[str]] = {ending: [] for ending in _TITLES}
    files = (path.name for path in resources.files("srzoo").joinpath("presets").iterdir())
    for name in sorted(file.removesuffix(".toml") for file in files if file.endswith(".toml")):
        ranks[next((ending for ending in _TITLES if ending and name.endswith(ending)), "")].append(name)
    return ranks


def _description(name: str) -> str:
    file = resources.files("srzoo").joinpath("presets", f"{name}.toml")
    return tomllib.loads(file.read_text(encoding="utf-8")).get("description", "")
