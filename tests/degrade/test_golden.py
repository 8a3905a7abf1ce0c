"""Eight pairs of every recipe, as hashes: the same bytes on every machine and in every version with one `ENGINE`.

python tests/degrade/test_golden.py        makes golden.json anew; then raise `pipeline.ENGINE`
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import PIL.features
import pytest

from degrade.image import window
from degrade.pipeline import ENGINE, PairKey, degrade_window
from degrade.recipe import list_recipes, load_recipe

FILE = Path(__file__).with_name("golden.json")
PAIRS, PATCH = 8, 96
CODECS = {"web": "webp"}  # recipes whose bytes are a codec's, too


def scene(side: int = 256, seed: int = 0) -> np.ndarray:
    """Detail at every scale, from integers alone: the same bytes on every machine."""
    rng = np.random.Generator(np.random.Philox(seed))
    levels = [rng.integers(0, 256, (side >> k, side >> k, 3)).repeat(1 << k, 0).repeat(1 << k, 1) for k in range(6)]
    return (sum(levels) // len(levels)).astype(np.uint8)


def hashes(name: str) -> str:
    """SHA-256 over LR, HR and trace of eight pairs."""
    recipe = load_recipe(name)
    digest = hashlib.sha256()
    side, margin = PATCH * recipe.reduction, recipe.margin * recipe.reduction
    for patch in range(PAIRS):
        around = window(scene(seed=patch), 20, 20, side, side, margin)
        pair = degrade_window(around, recipe, PairKey(2020, patch))
        digest.update(pair.lr.tobytes() + pair.hr.tobytes() + pair.trace.encode())
    return digest.hexdigest()


def names() -> set[str]:
    """Those whose bytes are ours alone, not torch's."""
    return {recipe.short_name for recipe in list_recipes() if not recipe.learned}


def all_hashes() -> dict[str, str]:
    return {name: hashes(name) for name in sorted(names())}


def stored() -> dict[str, str]:
    return json.loads(FILE.read_text())["pairs"]


def codec_differs(name: str) -> bool:
    codec = CODECS.get(name)
    return codec is not None and PIL.features.version(codec) != json.loads(FILE.read_text())["codecs"][codec]


def test_every_recipe_has_its_hash_of_this_engine() -> None:
    assert json.loads(FILE.read_text())["engine"] == ENGINE
    assert set(stored()) == names()


@pytest.mark.parametrize("name", sorted(stored()) if FILE.exists() else [])
def test_pairs_are_those_of_every_machine(name: str) -> None:
    if codec_differs(name):
        pytest.skip(f"made with another version of {CODECS[name]}")
    assert hashes(name) == stored()[name]


@pytest.mark.slow
@pytest.mark.parametrize(
    "processor",
    [
        {"NUMBA_CPU_NAME": "x86-64-v2", "NUMBA_CPU_FEATURES": ""},
        {"NPY_DISABLE_CPU_FEATURES": "AVX2 FMA3 X86_V3 X86_V4 AVX512_SKX AVX512_ICL AVX512_SPR"},
    ],
    ids=["old processor", "numpy without AVX2"],
)
def test_pairs_hold_on_other_processors(processor: dict[str, str], tmp_path: Path) -> None:
    from numpy._core._multiarray_umath import __cpu_dispatch__, __cpu_features__

    if "NPY_DISABLE_CPU_FEATURES" in processor:
        known = {name for name in __cpu_dispatch__ if __cpu_features__.get(name)}
        kept = [name for name in processor["NPY_DISABLE_CPU_FEATURES"].split() if name in known]
        processor = {"NPY_DISABLE_CPU_FEATURES": " ".join(kept)}
    env = {**os.environ, **processor, "DEGRADE_CACHE": str(tmp_path), "PYTHONWARNINGS": "ignore"}
    code = (
        f"import runpy, sys; sys.argv = ['x', '--print']; runpy.run_path({str(Path(__file__))!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)["pairs"]
    assert {n: h for n, h in found.items() if not codec_differs(n)} == {
        n: h for n, h in stored().items() if not codec_differs(n)
    }


if __name__ == "__main__":
    codecs = {codec: PIL.features.version(codec) for codec in sorted(set(CODECS.values()))}
    text = json.dumps({"engine": ENGINE, "codecs": codecs, "pairs": all_hashes()}, indent=1) + "\n"
    if "--print" in sys.argv:
        print(text)
    else:
        FILE.write_text(text)
