"""The `srzoo` command: a table of commands, each imported when it is called, and one way to fail.

Every expected failure is one line on stderr, `srzoo: error: <what>: <problem> - <cure>`, with the exit
code of its error class; 1 is a bug, 130 and 143 a run stopped by Ctrl-C or SIGTERM.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
import traceback
from collections.abc import Sequence

import click

from degrade.errors import DegradeError, ResourceError, UsageError, printable
from srzoo import __version__

COMMANDS = {  # name: (module with a click command called `command`, help)
    "train": ("srzoo.cli.train", "Train a network on shards; the same command again goes on."),
    "upscale": ("srzoo.cli.upscale", "Enlarge photographs with a trained network."),
    "evaluate": ("srzoo.cli.evaluate", "Judge models on test sets: PSNR, SSIM and more, beside published figures."),
    "evaluate-degrader": ("srzoo.cli.evaluate_degrader", "Judge networks that make LR by real pairs, noise and all."),
    "tell-apart": ("srzoo.cli.tell_apart", "Train a fresh critic to tell made pictures from real ones."),
    "follow-noise": ("srzoo.cli.follow_noise", "Tell whether the noise of made LR follows the reference photo's."),
    "export-degrader": ("srzoo.cli.export_degrader", "Write a trained degrader as a file that recipes run."),
    "compare": ("srzoo.cli.compare", "Show several models' results on one page; a blind study of them."),
    "kernel": ("srzoo.cli.kernel", "Estimate the blur kernels of photographs, for recipes to draw from."),
    "report": ("srzoo.cli.report", "Show a network beside bicubic on one page."),
    "study": ("srzoo.cli.study", "Show a chain of experiments on one page, and which claims hold."),
}

_EXAMPLES = """\b
Examples:
  degrade synth photos/ --out shards/        pairs to train on
  srzoo train                                train on ./shards into ./runs/compact-x4
  srzoo upscale photo.jpg                    writes photo_x4.png, with the newest run or the shipped model
  srzoo evaluate --model bicubic --hr set5/  what there is to beat
  srzoo COMMAND --help                       more examples
"""


class Terminated(KeyboardInterrupt):
    """SIGTERM, as an exception: a command that cleans up after Ctrl-C cleans up after it, too."""


class LazyGroup(click.Group):
    """Commands of a literal table, imported on call, so that `--help` needs nothing but click."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(COMMANDS[cmd_name][0]).command
        if not any(parameter.name == "debug" for parameter in command.params):
            command.params.append(_debug_option())
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from degrade.schema import nearest

            raise UsageError(args[0], "no such command", nearest(args[0], COMMANDS))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _debug_option() -> click.Option:
    return click.Option(["--debug"], is_flag=True, expose_value=False, help="Show the traceback of a failure.")


@click.group(
    cls=LazyGroup,
    params=[_debug_option()],
    epilog=_EXAMPLES,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="srzoo")
@click.pass_context
def group(context: click.Context) -> None:
    """A zoo of super-resolution networks: trained from shards, judged by the papers' rules, run on your photos."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main() -> None:
    """The console script."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run the command line and give its exit code; failures are printed, not raised."""
    options = list(arguments)
    if "--" in options:
        options = options[: options.index("--")]
    debug = "--debug" in options
    try:
        code = _invoke(list(arguments))
        sys.stdout.flush()
        return code
    except BrokenPipeError:  # `srzoo ... | head`: the reader had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except KeyboardInterrupt as stop:
        _say(f"srzoo: {stop.args[0] if stop.args else 'stopped'}")
        return 143 if isinstance(stop, Terminated) else 130
    except Exception as error:
        if debug:
            traceback.print_exc()
        failure = _expected(error)
        if failure is None:
            name, text = type(error).__name__, printable(str(error))
            _say(f"srzoo: bug: {name}: {text} - please report it with the output of --debug")
            return 1
        _say(f"srzoo: error: {failure}")
        return failure.exit_code


def _invoke(arguments: list[str]) -> int:
    try:
        with group.make_context("srzoo", arguments) as context:
            result = group.invoke(context)
            return result if isinstance(result, int) else 0
    except click.exceptions.Exit as end:
        return end.exit_code


def _expected(error: Exception) -> DegradeError | None:
    """`error` as a failure with a cure; None if it is a bug."""
    if isinstance(error, DegradeError):
        return error
    if isinstance(error, click.ClickException):
        return _misuse(error)
    if _is_out_of_memory(error):
        return ResourceError(
            "memory", " ".join(str(error).split())[:80] or "not enough", "use a smaller --batch, --patch or --tile"
        )
    if isinstance(error, OSError) and error.filename is not None:
        from pathlib import Path

        from degrade.atomic import resource_error

        return resource_error(Path(os.fsdecode(error.filename)), error)
    return None


def _is_out_of_memory(error: Exception) -> bool:
    """Also torch's own, which are told by name and text so that torch need not be loaded."""
    is_torch = type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and is_torch)


def _misuse(error: click.ClickException) -> UsageError:
    """A mistake in the options, in our one line, with the nearest name that would do."""
    context = getattr(error, "ctx", None)
    place = context.command_path if context is not None else "srzoo"
    near = getattr(error, "possibilities", None)
    cure = f"did you mean '{near[0]}'?" if near else f"see `{place} --help`"
    if isinstance(error, click.NoSuchOption):
        return UsageError(place, f"no such option {error.option_name}", cure)
    return UsageError(place, " ".join(error.format_message().split()).rstrip("."), cure)


def _say(line: str) -> None:
    try:
        print(line, file=sys.stderr, flush=True)
    except (BrokenPipeError, ValueError):  # nobody listens
        return


def _terminate(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: the clean-up that follows must not be cut short
    raise Terminated
