"""Who makes the shards: this process, a pool of our own, or any `concurrent.futures` executor.

The pool is ours because a worker that dies must cost its shard only (the standard pools hang or fail every
waiting task), and because the photo that killed it has to be named.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import BrokenExecutor, Executor, as_completed
from dataclasses import dataclass, field
from functools import lru_cache
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path

from degrade import errors
from degrade.errors import ResourceError
from degrade.recipe import Recipe
from degrade.synthesize.journal import outcome_from
from degrade.synthesize.plan import Plan, parse_plan
from degrade.synthesize.stored_recipe import stored_recipe
from degrade.synthesize.task import Maker, Outcome, make_shard
from degrade.synthesize.worker import receive, send

STRIKES = 2  # workers that a source may end before it is left alone
DEATHS = 4  # in a row, for each worker, without a shard finished in between, before the run gives up
SILENCE = 600  # seconds without a word before a worker counts as hung
_GRACE = 3  # seconds between asking a worker to end and killing it
_START = "import sys; sys.path[:] = sys.argv[2:]; from degrade.synthesize.worker import serve; serve(int(sys.argv[1]))"

Finished = Generator[tuple[int, Outcome], None, None]


@dataclass(frozen=True)
class Job:
    """What all ways of working need. `on_progress` is told (shard, pairs made of it so far)."""

    plan: Plan
    recipe: Recipe | None  # of captured pairs that stay as they are, none
    plan_path: Path
    folder: Path
    on_progress: Callable[[int, int], None] = lambda shard, pairs: None


def in_this_process(job: Job, shards: Sequence[int]) -> Finished:
    """One shard after the other."""
    maker = Maker(job.plan, job.recipe, job.folder, lambda shard, _, pairs: job.on_progress(shard, pairs))
    try:
        for shard in shards:
            if made := maker.make(shard):
                yield made
        if made := maker.finish():
            yield made
    finally:
        maker.close()


def on_executor(job: Job, shards: Sequence[int], executor: Executor) -> Finished:
    """On anything with `submit`, as long as its workers see the same folders."""
    arguments = str(job.plan_path), job.plan.digest(), str(job.folder)
    futures = {executor.submit(make_one, *arguments, shard): shard for shard in shards}
    try:
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenExecutor as error:
        cure = "run the same command again; finished shards are kept"
        raise ResourceError("executor", f"its workers ended: {error}", cure) from None
    finally:
        for future in futures:
            future.cancel()


def make_one(plan_path: str, digest: str, folder: str, shard: int) -> Outcome:
    """Shard `shard` of the plan in a file: the task that an executor is given."""
    plan, recipe = _plan_and_recipe(plan_path, digest)
    return make_shard(plan, recipe, shard, Path(folder))


@lru_cache(maxsize=2)
def _plan_and_recipe(plan_path: str, digest: str) -> tuple[Plan, Recipe | None]:
    plan = parse_plan(Path(plan_path).read_text(encoding="ascii"), origin=plan_path)
    if plan.digest() != digest:
        raise errors.IntegrityError(plan_path, "changed while the run was going on", "run the command again")
    return plan, stored_recipe(plan)


def in_processes(job: Job, shards: Sequence[int], count: int) -> Finished:
    """On `count` processes of our own.

    A worker that dies costs its shard, which is made again; a source that ends two workers is left out.

    Raises:
        ResourceError: workers end again and again, through no single source.
        DegradeError: whatever a worker met that would stop any run, as a full disk.
    """
    pool = _Pool(job, shards)
    try:
        for _ in range(min(count, len(shards))):
            pool.start()
        yield from pool.finished()
    finally:
        pool.stop()


@dataclass(eq=False)
class _Worker:
    process: subprocess.Popen[bytes]
    pipe: Connection
    is_ready: bool = False
    shards: list[int] = field(default_factory=list)  # being written, being filled
    is_asked: bool = False  # an answer is due
    source: int | None = None  # being read or cut
    silence: int = 0  # in ticks: a clock would run on while the machine sleeps


@dataclass
class _Pool:
    job: Job
    shards: Sequence[int]
    workers: list[_Worker] = field(default_factory=list)
    without: dict[int, str] = field(default_factory=dict)  # source: why it is left alone
    strikes: Counter[int] = field(default_factory=Counter)
    deaths: int = 0  # since something last went well

    def __post_init__(self) -> None:
        self.waiting = deque(self.shards)

    def start(self) -> None:
        """One more worker: a fresh interpreter, so that nothing of this process is shared or run twice."""
        ours, theirs = Pipe()
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-c", _START, str(theirs.fileno()), *sys.path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                process_group=0,  # Ctrl-C at a terminal reaches us alone; we end them
            )
        worker = _Worker(process, ours)
        self.workers.append(worker)
        with contextlib.suppress(OSError):
            send(ours, {"plan": str(self.job.plan_path), "folder": str(self.job.folder)})

    def finished(self) -> Finished:
        ticked = time.monotonic()
        while self.waiting or any(worker.shards for worker in self.workers):
            ready = wait([worker.pipe for worker in self.workers], timeout=1.0)
            for worker in [worker for worker in self.workers if worker.pipe in ready]:
                yield from self._heard(worker)
            if time.monotonic() - ticked >= 1.0:
                ticked = time.monotonic()
                self._tick()

    def stop(self) -> None:
        """End all workers, at the latest by killing them."""
        for worker in self.workers:
            worker.pipe.close()
            if worker.is_asked:
                worker.process.terminate()
        deadline = time.monotonic() + _GRACE
        for worker in self.workers:
            try:
                worker.process.wait(max(deadline - time.monotonic(), 0.01))
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
        self.workers.clear()

    def _heard(self, worker: _Worker) -> Finished:
        try:
            message = receive(worker.pipe)
        except (EOFError, OSError):
            self._died(worker)
            return
        worker.silence = 0
        if "bug" in message:
            raise RuntimeError(f"in a worker:\n{message['bug']}")
        if "error" in message:
            raise getattr(errors, message["error"])(*message["arguments"])
        if "pairs" in message:
            worker.source = message["source"]
            self.job.on_progress(worker.shards[-1], message["pairs"])
            return
        made = message.get("made")
        worker.is_ready, worker.is_asked, worker.source = True, False, None
        if made:
            worker.shards.remove(made["shard"])
            self.deaths = 0
        self._dispatch()
        if made:
            yield made["shard"], outcome_from(made)

    def _dispatch(self) -> None:
        """Give every worker that waits a shard; where there is none, ask for the one it is writing."""
        for worker in self.workers:
            if not worker.is_ready or worker.is_asked or not (self.waiting or worker.shards):
                continue
            shard = self.waiting.popleft() if self.waiting else None
            worker.is_asked = True
            if shard is not None:
                worker.shards.append(shard)
            with contextlib.suppress(OSError):  # it died: its end of the pipe will tell
                send(worker.pipe, {"shard": shard, "without": self.without})

    def _tick(self) -> None:
        for worker in self.workers:
            worker.silence += worker.is_asked or not worker.is_ready
            if worker.silence >= SILENCE:
                worker.process.kill()

    def _died(self, worker: _Worker) -> None:
        """Put its shards back first in the queue, its source under suspicion, and another in its place."""
        self.workers.remove(worker)
        worker.pipe.close()
        try:
            code = worker.process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            worker.process.kill()
            code = worker.process.wait()
        how = _ending(code) if worker.silence < SILENCE else f"hung for {SILENCE} s"
        self.deaths += 1
        if worker.source is not None:
            self.strikes[worker.source] += 1
            if self.strikes[worker.source] == STRIKES:
                self.without[worker.source] = f"ended {STRIKES} workers ({how})"
                if code != -signal.SIGKILL:  # that may also be a lack of memory, so it goes on counting
                    self.deaths = 0
        self.waiting.extendleft(reversed(worker.shards))
        for shard in worker.shards:
            self.job.on_progress(shard, 0)
        if self.deaths >= DEATHS * (len(self.workers) + 1):
            cure = "is there enough memory? use fewer --workers and run the same command again"
            raise ResourceError("workers", f"{how}, again and again", cure)
        self.start()
        self._dispatch()


def _ending(code: int) -> str:
    if code >= 0:
        return f"ended with code {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"killed by signal {-code}"
