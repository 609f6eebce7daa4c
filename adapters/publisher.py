"""The publisher: a follower of the record log that tells subscribers what changed.

Its position is its own and no rebuild rewinds it. What it sends was numbered and committed before; after a crash it is
sent again unchanged, before anything later. So a subscriber who ignores ids that it has seen gets every published
change once and in order for each child, also where a publisher that was fenced still sends: whatever that one may send,
the one after it sends too, before anything newer.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from adapters.leading import lead
from domain.errors import Fenced, Unavailable
from domain.kernel import Log
from domain.policy.publishing import Signal, signals_of
from domain.policy.rule_book import InForce
from domain.ports import Again, Clock, Message, Publications, Subscribers
from projections.ports import LogReader, Opener
from projections.projection import Depth, Reads

BATCH: Final = 1000
"""Events numbered and sent together: bounds what is in memory and what is on its way."""

_OPENED_TOGETHER: Final = 250
"""Streams: whoever is far behind may meet long ones."""

LEASE_SECONDS: Final = 60.0
"""Longer than a batch may take to be sent, so that nobody takes over from one that only waits for the broker. Where the
leader was killed nobody waits for it: its session at the database went with it."""

KEPT_SECONDS: Final = 30 * 24 * 3600.0
"""What was sent can be sent again for as long as it stands on the topic."""

BEAT: Final = timedelta(minutes=1)
_NAMES: Final = Reads(Depth.NAMES)
_RETRY_SECONDS: Final = (0.2, 0.5, 1.0, 2.0, 5.0)


@dataclass
class Publisher:
    """What publishing needs. `open` opens streams as a reader without the `shielded` database."""

    log: LogReader
    open: Opener
    publications: Publications
    subscribers: Subscribers
    rules: InForce
    clock: Clock
    lease_seconds: float = LEASE_SECONDS
    batch: int = BATCH
    published: int = field(default=0, init=False)

    def run(self, *, until_caught_up: bool, stop: Callable[[], bool] = lambda: False) -> int:
        """Publish until stopped, or until nothing is left; how many messages were acknowledged.

        Waits while another leads, and again where another took over meanwhile. Where the broker or the database is away
        it waits and tries again, holding one batch. With `until_caught_up` it raises Fenced and Unavailable instead.
        """
        lead(
            self.publications,
            self.lease_seconds,
            lambda fence: self._follow(fence, until_caught_up=until_caught_up, stop=stop),
            until_caught_up=until_caught_up,
            stop=stop,
        )
        return self.published

    def step(self, fence: int) -> bool:
        """Send what is on its way, then number and send the next batch. False where nothing was left to do."""
        self._deliver(fence, self.publications.pending())
        self._retry_parked(fence)
        after = self.publications.position()
        tail = self.log.tail(Log.RECORD, after, self.batch)
        if not tail:
            return False
        upto = tail[-1][0]
        parked = self.publications.parked()
        streams = list(dict.fromkeys(stream for _, stream in tail if stream not in parked))
        found: list[tuple[int, Signal]] = []
        rules = self.rules.at(self.clock.now())
        for start in range(0, len(streams), _OPENED_TOGETHER):
            together = streams[start : start + _OPENED_TOGETHER]
            histories = self.open(together, _NAMES)
            shut = [stream for stream in together if stream not in histories]
            if shut:
                self.publications.park(fence, shut, after)
            for history in histories.values():
                found += signals_of(history, after, upto, rules)
        self._deliver(fence, self._number(fence, upto, found))
        return True

    def replay(self, which: Again) -> int:
        """Send again, unchanged, what was sent and is kept; how many. Whoever leads goes on meanwhile.

        Raises Unavailable where the broker is away: what was sent until then stays sent.
        """
        again, after = 0, (-1, 0)
        while messages := self.publications.sent(which, after, self.batch):
            self.subscribers.send(messages)
            again += len(messages)
            after = messages[-1].partition, messages[-1].number
        return again

    def _follow(self, fence: int, *, until_caught_up: bool, stop: Callable[[], bool]) -> None:
        failures, beaten = 0, self.clock.now() - BEAT
        while not stop():
            try:
                self.publications.renew(fence, self.lease_seconds)
                if self.clock.now() - beaten >= BEAT:
                    self.subscribers.beat(self.publications.numbers(), self.clock.now())
                    self.publications.forget(fence, KEPT_SECONDS)
                    beaten = self.clock.now()
                moved = self.step(fence)
                failures = 0
            except Fenced:
                raise
            except Unavailable:
                if until_caught_up:
                    raise
                time.sleep(_RETRY_SECONDS[min(failures, len(_RETRY_SECONDS) - 1)])
                failures += 1
                continue
            if not moved:
                if until_caught_up:
                    return
                self.log.wait(1.0)

    def _number(self, fence: int, upto: int, found: list[tuple[int, Signal]]) -> list[Message]:
        return self.publications.number(
            fence,
            upto,
            [
                (one.event_id, one.child_id, one.kind, one.at, self.subscribers.partition_of(one.child_id))
                for _, one in sorted(found, key=lambda pair: pair[0])
            ],
        )

    def _deliver(self, fence: int, messages: Sequence[Message]) -> None:
        """Send all that is pending, which these are."""
        if messages:
            self.subscribers.send(messages)
        self.published += len(messages)
        self.publications.acknowledged(fence)

    def _retry_parked(self, fence: int) -> None:
        parked = self.publications.parked()
        if not parked:
            return
        upto, rules = self.publications.position(), self.rules.at(self.clock.now())
        histories = self.open(list(parked)[: self.batch], _NAMES)
        for stream_id, history in histories.items():
            # Numbered before the note is taken off: a crash in between numbers it twice, and both have the same ids.
            signals = signals_of(history, parked[stream_id], upto, rules)
            self._deliver(fence, self._number(fence, upto, signals))
            self.publications.unpark(fence, [stream_id])
