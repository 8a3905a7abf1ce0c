"""`FORMATS.md` states every name of the format, and its example reads a shard."""

from __future__ import annotations

import dataclasses
import re
import subprocess
import sys
from pathlib import Path

import pytest

import degrade.shards.layout as shard
import degrade.shards.manifest as manifest

PAGE = Path(__file__).resolve().parents[3] / "packages" / "degrade" / "FORMATS.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_every_name_is_stated(page: str) -> None:
    tables = (shard.ShardHeader, manifest.Manifest, manifest.ShardRecord)
    names = [*shard.DATASETS, *(field.name for table in tables for field in dataclasses.fields(table))]
    names += [*shard.SourceRow.__annotations__, shard.FORMAT, manifest.FORMAT]
    names += [shard.PLAN_NAME, shard.MANIFEST_NAME, shard.SKIPPED_NAME]
    stated = set(re.findall(r"[\w.-]+", page))
    assert set(names) <= stated
    assert f"`format`, `format_version` | text, int | `degrade-shard`, {shard.FORMAT_VERSION} |" in page
    assert f"`format` = `degrade-manifest`, `format_version` = {manifest.FORMAT_VERSION}" in page


def test_its_example_reads_a_shard(page: str, folder_maker, tmp_path: Path) -> None:
    (rows,) = folder_maker(tmp_path / "shards", 1, num_pairs=20)
    code = (
        re.findall(r"```python\n(.*?)```", page, re.DOTALL)[0] + "\nprint(trace['patch'], int(lr.sum()), int(hr.sum()))"
    )
    command = [sys.executable, "-c", code]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert run.stdout.split() == [str(n) for n in (17, rows.lr[17].sum(), rows.hr[rows.hr_index[17]].sum())]
