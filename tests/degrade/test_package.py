"""The front door of the package: everything it offers is there, and nothing is loaded before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import degrade


@pytest.mark.parametrize("name", degrade.__all__)
def test_every_public_name_is_there_and_callable(name: str) -> None:
    assert callable(getattr(degrade, name))
    assert name in dir(degrade)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'degrade_imag'"):
        degrade.degrade_imag  # type: ignore[attr-defined]  # noqa: B018  the misspelling is the test


@pytest.mark.parametrize(
    "code",
    [
        "import degrade; degrade.synthesize",
        "import degrade.synthesize",
        "from degrade.synthesize import plan; import degrade",
        "import degrade.synthesize.run, degrade",
    ],
)
def test_synthesize_is_a_function_and_a_folder_whatever_was_imported_first(code: str) -> None:
    check = (
        "import degrade.synthesize.plan as plan; import sys; from degrade.errors import UsageError\n"
        "assert degrade.synthesize.plan is plan and callable(degrade.synthesize)\n"
        "try: degrade.synthesize(['nowhere'], 'generic', 'out')\n"
        "except UsageError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", f"{code}\n{check}"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("nowhere: no such file or folder")


def test_importing_it_loads_nothing() -> None:
    code = "import sys; before = set(sys.modules); import degrade; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"numpy", "numba", "click", "pydantic", "degrade.pipeline"}
