"""`degrade verify`: every byte of a set of shards against its manifest."""

from __future__ import annotations

from pathlib import Path

import click

from degrade.errors import IntegrityError, UsageError, printable


@click.command(epilog="\b\nExample:\n  degrade verify shards/")
@click.argument("folders", metavar="SET...", nargs=-1, required=True, type=click.Path(path_type=Path))
def command(folders: tuple[Path, ...]) -> None:
    """Check every byte of sets of shards, and name every fault.

    SET is a folder that `degrade synth` wrote. What is damaged or missing is made again, to the same bytes, by running
    the same `degrade synth` command once more.
    """
    from degrade.cli.progress import progress
    from degrade.shards.layout import SUFFIX
    from degrade.shards.manifest import read_manifest
    from degrade.shards.verify import verify

    num_faults = 0
    for folder in folders:
        if not folder.is_dir():
            raise UsageError(folder, "no such folder", "give the folder that `degrade synth --out` wrote")
        with progress("checking shards", len(list(folder.glob(f"*{SUFFIX}")))) as advance:
            faults = verify(folder, advance=advance)
        for fault in faults:
            click.echo(f"degrade: error: {fault}", err=True)
        num_faults += len(faults)
        manifest = read_manifest(folder) if not faults else None
        if manifest is not None:
            held = f"{manifest.num_pairs:,} pairs in {len(manifest.shards):,} shards"
            click.echo(printable(f"{folder}: {held}, every byte as it was made"))
    if num_faults:
        raise click.exceptions.Exit(IntegrityError.exit_code)
