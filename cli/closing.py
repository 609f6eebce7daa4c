"""Destroying all that the index holds, once it is closed: resumable at every step, and certified at the end."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Final
from uuid import UUID

from rich.progress import Progress, TaskID

from cli.app import App
from cli.output import Json, Output
from domain.access.model import Actor
from domain.destruction.closing import INDEX, begin, certify, progress
from domain.destruction.closing import Progress as Certified
from domain.errors import NoReceipt
from domain.kernel import Log, Metadata
from domain.policy.closure import closed, destroyed_by
from domain.policy.retention import closing_due
from domain.rule_set.model import Closure

_TOGETHER: Final = 100
"""Streams whose destructions wait for one checkpoint together."""


@dataclass
class _Run:
    """What one run has done: how many streams it destroyed, and what the holds that it met keep."""

    limit: int | None
    bar: Progress
    task: TaskID
    began: float = field(default_factory=time.monotonic)
    destroyed: int = 0
    held: dict[UUID, frozenset[UUID]] = field(default_factory=dict)

    def goes_on(self) -> bool:
        """Whether it may destroy more."""
        return self.limit is None or self.destroyed < self.limit

    def add(self, destroyed: int) -> None:
        """So many more are destroyed."""
        self.destroyed += destroyed
        rate = self.destroyed / max(time.monotonic() - self.began, 1e-6)
        self.bar.update(self.task, completed=self.destroyed, rate=f"{rate:,.0f} records/s")

    def kept(self) -> frozenset[UUID]:
        """Every stream that a hold keeps."""
        return frozenset().union(*self.held.values())


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of one home."""

    app: App

    def run(self, closure: Closure, viewer: Actor, *, limit: int | None, output: Output) -> Json:
        """Destroy what is left, at most about `limit`, then the key-encryption keys that backups are under.

        Records first: what a hold keeps is known then. What is left of nobody's record (source records held back, keys
        of attempts that died) follows. Certified once nothing is left. Raises NoReceipt, which says how far it got.
        """
        app = self.app
        app.let_in(viewer, None, "retention")
        metadata = app.metadata(viewer, purpose=app.reason(viewer))
        left = app.upkeep.left()
        self._begin(closure, left, metadata)
        with output.progress() as bar:
            run = _Run(limit, bar, bar.add_task("closure", total=left, rate=""))
            self._records(closure, run, metadata)
            self._others(closure, run, metadata)
        if run.goes_on():
            app.upkeep.rotate(output)
        proof = self._certify(run, metadata) if run.goes_on() and not app.upkeep.left() else None
        return {
            "archived": 0,
            "destroyed": run.destroyed,
            "passed_over": [{"child_id": child_id, "code": "held"} for child_id in run.held],
            "maintained": app.maintain(output),
            "closure": self.status(),
            **({} if proof is None else {"receipt_proof": proof}),
        }

    def _begin(self, closure: Closure, left: int, metadata: Metadata) -> None:
        app, at = self.app, self.app.now()
        version = begin(closure, left, at=at, store=app.serving, rules=app.rules_at(at), metadata=metadata)
        self._sealed(version, "That everything is to be destroyed is on record, and nothing is destroyed.")

    def _records(self, closure: Closure, run: _Run, metadata: Metadata) -> None:
        for streams in self._left(run):
            done = self.app.writing.destroy_records(streams, closing_due(closure), metadata)
            run.held.update(done.held)
            run.add(done.destroyed)

    def _others(self, closure: Closure, run: _Run, metadata: Metadata) -> None:
        kept = run.kept()
        for streams in self._left(run):
            others = [one for one in streams if one not in kept]
            run.add(self.app.writing.destroy_streams(others, closing_due(closure), metadata))

    def _left(self, run: _Run) -> Iterator[list[UUID]]:
        """Whose keys are left, so many together, for as long as the run goes on."""
        each = (one for page in self.app.upkeep.remaining() for one in page)
        while run.goes_on() and (together := list(islice(each, _TOGETHER))):
            yield together

    def _certify(self, run: _Run, metadata: Metadata) -> str:
        app, at = self.app, self.app.now()
        certificates, generations = app.upkeep.certificates(), app.upkeep.generations()
        version = certify(certificates, generations, at=at, store=app.serving, metadata=metadata)
        return self._sealed(
            version,
            f"{run.destroyed} are destroyed and nothing is left: on record, and not acknowledged yet.",
        )

    def _sealed(self, version: int, so_far: str) -> str:
        try:
            (proof,) = self.app.receipts.awaited(Log.RECORD, [(INDEX, version)])
        except NoReceipt as missing:
            raise missing.after(so_far) from None
        return proof

    def status(self) -> Json:
        """Whether the index is closed, how much of it is left, by when it is to be destroyed and when it will be."""
        app, at = self.app, self.app.now()
        closure = app.rules_at(at).closure
        if closure is None:
            return {"closed": False, "closes_at": None}
        certified, left = progress(app.serving), app.upkeep.left()
        done = certified.completed
        return {
            "closed": closed(app.rules_at(at), at) is not None,
            "closes_at": closure.at,
            "destroyed_by": destroyed_by(closure),
            "left": left,
            "of": certified.begun.subjects if certified.begun is not None else left,
            "begun_at": certified.begun_at,
            "done_at": _done_at(certified, left, at),
            "certificate": INDEX if done is not None else None,
            "certificates": done.certificates if done is not None else None,
            "completed_on": done.completed_on if done is not None else None,
        }


def _done_at(certified: Certified, left: int, at: datetime) -> datetime | None:
    """When nothing will be left, if it goes on as it has since it was begun; None where that cannot be said."""
    begun, since = certified.begun, certified.begun_at
    if begun is None or since is None or not left or left >= begun.subjects:
        return None
    return at + (at - since) * (left / (begun.subjects - left))
