"""Lay out a described data set as OUT/train and OUT/test: `python datasets/prepare.py samples OUT`.

A descriptor, `<name>.toml` beside this file, names every photograph with its licence, and which ones
are kept for testing. The packages never import from here.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import tomllib
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SPLITS = ("train", "test")


def main() -> None:
    names = sorted(path.stem for path in HERE.glob("*.toml"))
    parser = argparse.ArgumentParser(description="Lay out a described data set as OUT/train and OUT/test.")
    parser.add_argument("name", choices=names)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    descriptor = tomllib.loads((HERE / f"{arguments.name}.toml").read_text(encoding="utf-8"))
    counts = lay_out(descriptor, package_folder(descriptor), arguments.out)
    print(f"{descriptor['title']}: " + ", ".join(f"{counts[split]} in {arguments.out / split}" for split in SPLITS))


def package_folder(descriptor: dict[str, Any]) -> Path:
    """Where the installed package keeps the photographs; the package itself is not imported."""
    spec = importlib.util.find_spec(descriptor["package"])
    if spec is None or spec.origin is None:
        raise SystemExit(f"{descriptor['name']}: not installed - pip install {descriptor['install']}")
    return Path(spec.origin).parent / descriptor["folder"]


def lay_out(descriptor: dict[str, Any], source: Path, out: Path) -> dict[str, int]:
    """Copy the photographs; one that changed sides since an earlier layout leaves its old folder."""
    for split, other in (SPLITS, SPLITS[::-1]):
        folder = out / split
        folder.mkdir(parents=True, exist_ok=True)
        for photograph in descriptor[split]:
            if not (source / photograph["file"]).is_file():
                raise SystemExit(f"{source / photograph['file']}: missing - reinstall {descriptor['install']}")
            shutil.copyfile(source / photograph["file"], folder / photograph["file"])
            (out / other / photograph["file"]).unlink(missing_ok=True)
    return {split: len(descriptor[split]) for split in SPLITS}


if __name__ == "__main__":
    main()
