"""What feeds and fills views, over PostgreSQL: here, and in workers of a rebuild with connections of their own.

One interpreter uses one processor, so a rebuild of more than one slice is shared out to a process for each.
"""

import gc
import multiprocessing
import os
import signal
from collections.abc import Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import datetime
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Final, NamedTuple

from adapters.postgres.databases import Databases
from adapters.postgres.log_reader import PostgresLogReader
from adapters.postgres.view_store import PostgresViewStore
from cli.stores import Stores
from domain.errors import Unavailable
from domain.policy.rule_book import InForce, RuleBook
from domain.rule_set.model import RuleSet
from projections.engine import Engine
from projections.ports import Work
from projections.rebuild import one_by_one

_JOIN_SECONDS: Final = 10.0


def engine_of(stores: Stores, rules: InForce, views: PostgresViewStore, reader: PostgresLogReader) -> Engine:
    """An engine under the serving role."""
    return Engine(views, reader, stores.openers(), stores.slices(), rules, stores.clock)


class Job(NamedTuple):
    """What a worker takes slices of, and with what. `now` stands in for its clock."""

    databases: Databases
    kek: Path
    rules: RuleSet
    now: datetime
    work: Work


@dataclass(frozen=True, slots=True)
class Workers:
    """Implements `projections.rebuild.Filler` by processes, by default as many as there are processors."""

    databases: Databases
    kek: Path
    processes: int = len(os.sched_getaffinity(0))

    def __call__(self, engine: Engine, work: Work) -> Generator[int | None]:
        """Fill slices as workers become free. Raises Unavailable where one dies or loses a database."""
        processes = min(self.processes, len(work.slices))
        if processes < 2:
            yield from one_by_one(engine, work)
            return
        job = Job(self.databases, self.kek, engine.in_force, engine.clock.now(), work)
        with ExitStack() as workers:
            try:
                yield from _shared_out(work, [_started(job, workers) for _ in range(processes)])
            except (EOFError, ConnectionError):
                raise Unavailable(
                    "A worker of the rebuild died. Start the rebuild again: it goes on where it was."
                ) from None


def _shared_out(work: Work, pipes: list[Connection]) -> Generator[int | None]:
    """Name each worker a slice when it is ready, and the next when it has done that; None once there is no more."""
    ahead = iter(work.slices)
    while pipes:
        ready = wait(pipes)
        for pipe in [pipe for pipe in pipes if pipe in ready]:
            answer: int | str | None = pipe.recv()
            if isinstance(answer, str):
                raise Unavailable(answer)
            yield answer
            following = next(ahead, None)
            pipe.send(following)
            if following is None:
                pipes.remove(pipe)


def _started(job: Job, workers: ExitStack) -> Connection:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs, job), daemon=True)
    process.start()
    theirs.close()  # so that its death is the end of what we read
    workers.callback(process.join, _JOIN_SECONDS)
    workers.callback(process.terminate)
    return ours


class _Still(NamedTuple):
    """A clock that stands."""

    instant: datetime

    def now(self) -> datetime:
        return self.instant


def _work(pipe: Connection, job: Job) -> None:
    """Say None when ready, then fill slices as they are named and say how many events each has.

    None is the end, and so is the death of whoever names them.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the command to understand
    gc.disable()  # nothing made here refers to itself, and what does is seen to after every slice
    with ExitStack() as opened, closing(pipe):
        stores = Stores(job.databases, job.kek, lambda _: _Still(job.now), opened)
        views, reader = stores.views(), stores.reader()
        engine = engine_of(stores, RuleBook([job.rules]), views, reader)
        gc.freeze()  # so that this does not go through every class there is, each time
        try:
            pipe.send(None)
            while (named := pipe.recv()) is not None:
                pipe.send(engine.fill(job.work, named))
                gc.collect()
        except Unavailable as unavailable:
            pipe.send(unavailable.message)
        except (EOFError, ConnectionError):
            pass
