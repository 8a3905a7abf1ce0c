"""What lies in an output folder already: the same run, another one, or shards nobody can vouch for."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from degrade.atomic import resource_error
from degrade.errors import IntegrityError, PlanChangedError, UsageError
from degrade.shards.layout import MANIFEST_NAME, PLAN_NAME, SKIPPED_NAME, SUFFIX
from degrade.shards.manifest import ShardRecord, read_manifest
from degrade.sources.folder import Skipped
from degrade.synthesize.journal import JOURNAL_NAME, read_journal
from degrade.synthesize.plan import Plan, differences, parse_plan
from degrade.synthesize.task import Outcome

_PIECE = 4 << 20  # bytes read at a time


def holds_another_run(folder: Path, plan: Plan, overwrite: bool) -> bool:
    """Whether `folder` holds another run that is to be overwritten.

    Raises:
        PlanChangedError: it holds another run, which is to be kept.
        UsageError: it holds shards without a plan.
        IntegrityError: its plan is not readable.
    """
    path = folder / PLAN_NAME
    try:
        text = path.read_bytes().decode("ascii", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        if not overwrite and any(not shard.name.startswith(".") for shard in folder.glob(f"*{SUFFIX}")):
            raise UsageError(folder, "holds shards but no plan", "use another --out, or --overwrite") from None
        return overwrite
    except OSError as error:
        raise resource_error(path, error) from None
    if text == plan.text():
        return False  # the same run: going on gives the same bytes as starting over
    if overwrite:
        return True
    changes = "; ".join(differences(parse_plan(text, origin=str(path)), plan))
    raise PlanChangedError(folder, f"holds another run ({changes})", "use another --out, or --overwrite to start over")


def clear(folder: Path) -> None:
    """Remove a run: the manifest first, so that no reader takes the rest for whole, the plan last."""
    remove(*(folder / name for name in (MANIFEST_NAME, JOURNAL_NAME, SKIPPED_NAME)))
    remove(*folder.glob(f"[!.]*-x*-[0-9][0-9][0-9][0-9][0-9]*{SUFFIX}"))
    remove(folder / PLAN_NAME)


def remove(*paths: Path) -> None:
    """Remove files, whether they are there or not.

    Raises:
        ResourceError: no permission.
    """
    for path in paths:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise resource_error(path, error) from None


def known_shards(folder: Path, plan: Plan) -> tuple[dict[int, Outcome], tuple[Skipped, ...], bool]:
    """Shards said to be done, inputs said to be left out, and whether the run was finished."""
    try:
        manifest = read_manifest(folder)
    except IntegrityError:
        manifest = None  # what it vouched for is made again
    if manifest is None or not manifest.complete or manifest.plan_sha256 != plan.digest():
        done, skipped = read_journal(folder)
        fitting = {i: o for i, o in done.items() if o.record is None or o.record.name == plan.shard_name(i)}
        return fitting, skipped, False
    by_name = {record.name: record for record in manifest.shards}
    done = {i: Outcome(by_name.get(plan.shard_name(i)), ()) for i in range(plan.num_shards)}
    return done, _read_skipped(folder), True


def _read_skipped(folder: Path) -> tuple[Skipped, ...]:
    try:
        lines = (folder / SKIPPED_NAME).read_text(encoding="ascii").splitlines()
        return tuple(Skipped(**json.loads(line)) for line in lines)
    except (OSError, ValueError, TypeError):
        return ()


def intact(folder: Path, known: Mapping[int, Outcome], threads: int) -> Iterator[tuple[int, Outcome]]:
    """Those of `known` whose shards lie there byte for byte; one that came out empty does."""
    pool = ThreadPoolExecutor(max(threads, 1))  # hashing releases the interpreter
    try:
        checks = pool.map(lambda outcome: _is_intact(folder, outcome.record), known.values())
        for entry, is_intact in zip(known.items(), checks, strict=True):
            if is_intact:
                yield entry
    finally:
        pool.shutdown(cancel_futures=True)


def _is_intact(folder: Path, record: ShardRecord | None) -> bool:
    if record is None:
        return True
    digest = hashlib.sha256()
    try:
        with (folder / record.name).open("rb", buffering=0) as file:
            if os.fstat(file.fileno()).st_size != record.num_bytes:
                return False
            while piece := file.read(_PIECE):
                digest.update(piece)
    except OSError:
        return False
    return digest.hexdigest() == record.sha256
