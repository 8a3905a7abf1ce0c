"""The far end of the pool: a process that makes shards as it is told, over one pipe, in JSON.

A task is a shard to make, answered with the shard before it (which was written meanwhile), or null to have the
last one. It starts as a fresh interpreter that never runs the caller's main module. When the parent is gone the pipe
breaks, and it ends before it writes anything more.
"""

from __future__ import annotations

import json
import signal
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from degrade.errors import DegradeError


def serve(descriptor: int) -> None:
    """Take tasks from the pipe `descriptor` until it closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    pipe = Connection(descriptor)
    try:
        _serve(pipe)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def send(pipe: Connection, message: Mapping[str, Any]) -> None:
    pipe.send_bytes(json.dumps(message).encode())


def receive(pipe: Connection) -> dict[str, Any]:
    return json.loads(pipe.recv_bytes())


def _serve(pipe: Connection) -> None:
    try:
        from degrade.synthesize.plan import parse_plan
        from degrade.synthesize.stored_recipe import stored_recipe
        from degrade.synthesize.task import Maker

        start = receive(pipe)
        folder = Path(start["folder"])
        plan = parse_plan(Path(start["plan"]).read_text(encoding="ascii"), origin=start["plan"])
        maker = Maker(
            plan, stored_recipe(plan), folder, lambda _, source, pairs: send(pipe, {"source": source, "pairs": pairs})
        )
        send(pipe, {"ready": True})
        while True:
            task = receive(pipe)
            if task["shard"] is None:
                made = maker.finish()
            else:
                made = maker.make(task["shard"], {int(source): why for source, why in task["without"].items()})
            send(pipe, {"made": {"shard": made[0], **asdict(made[1])} if made else None})
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise
    except DegradeError as error:
        send(pipe, {"error": type(error).__name__, "arguments": [error.subject, error.problem, error.cure]})
    except MemoryError as error:
        cure = "use fewer --workers, or a smaller --patch"
        send(pipe, {"error": "ResourceError", "arguments": ["memory", str(error) or "not enough", cure]})
    except Exception:
        send(pipe, {"bug": traceback.format_exc()})
