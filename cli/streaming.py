"""What tells subscribers of changes: the publisher of this home, and how far it is."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from adapters.faults import Reach, no_fault
from adapters.postgres.databases import Role
from adapters.postgres.log_reader import PostgresLogReader
from adapters.postgres.publications import PostgresPublications
from adapters.publisher import LEASE_SECONDS, Publisher
from cli.output import Json
from cli.stores import Stores
from domain.errors import BadInput, NotFound, Unavailable
from domain.kernel import Log
from domain.policy.rule_book import InForce
from domain.ports import Again

SUBSCRIBERS = "kafka"
LAG_SECONDS: Final = 300.0
"""How old the oldest change that subscribers were not told of may be while all is well."""


@dataclass(frozen=True, slots=True)
class Streaming:
    """The stream of one home. `bootstrap` None: no broker is configured, and nothing is published."""

    stores: Stores
    rules: InForce
    bootstrap: str | None

    @contextmanager
    def publisher(
        self, *, lease_seconds: float = LEASE_SECONDS, reach: Reach = no_fault
    ) -> Iterator[Publisher]:
        """What publishes, under a role of its own, until the block ends. Raises BadInput without a broker."""
        from adapters.kafka.subscribers import KafkaSubscribers  # Kafka is for those who publish

        with ExitStack() as closing:
            reader = PostgresLogReader(self.stores.databases.record, Role.PUBLISHER)
            publications = PostgresPublications(self.stores.databases.record, reach=reach)
            subscribers = KafkaSubscribers(self._broker(), reach=reach)
            for each in (reader, publications, subscribers):
                closing.callback(each.close)
            yield Publisher(
                log=reader,
                open=self.stores.store(Role.PUBLISHER).load_many,
                publications=publications,
                subscribers=subscribers,
                rules=self.rules,
                clock=self.stores.clock,
                lease_seconds=lease_seconds,
            )

    def publish(self, *, until_caught_up: bool, stop: Callable[[], bool]) -> Json:
        """Publish until stopped or caught up. Raises BadInput without a broker, Fenced, Unavailable."""
        with self.publisher() as publisher:
            published = publisher.run(until_caught_up=until_caught_up, stop=stop)
            return {"published": published, "position": publisher.publications.position()}

    def replay(self, which: Again) -> Json:
        """Send again, unchanged, what was sent and is kept. Raises NotFound where the first number asked for is not."""
        with self.publisher() as publisher:
            if which.partition is not None:
                kept = publisher.publications.sent(Again(which.partition), (-1, 0), 1)
                if not kept or which.first < kept[0].number:
                    first = f"from {kept[0].number} on" if kept else "not at all"
                    raise NotFound(
                        f"Messages of partition {which.partition} are kept {first}. Older ones can be had no more: "
                        "ask the index again for every child.",
                        code="not-kept",
                        field="from",
                    )
            return {"replayed": publisher.replay(which)}

    def recorded_at(self, position: int) -> datetime:
        """When the event at this position of the record log was recorded. Raises NotFound."""
        reader = PostgresLogReader(self.stores.databases.record)
        try:
            found = reader.recorded_at(Log.RECORD, position)
        finally:
            reader.close()
        if found is None:
            raise NotFound("The log has not come to this position yet.", field="position")
        return found

    def status(self) -> Json:
        """How far subscribers are behind, in events and in seconds, and how many records wait because they cannot be
        opened."""
        with ExitStack() as closing:
            publications = PostgresPublications(self.stores.databases.record, Role.SERVICE)
            reader = PostgresLogReader(self.stores.databases.record)
            for each in (publications, reader):
                closing.callback(each.close)
            head, position = reader.head(Log.RECORD), publications.position()
            oldest = reader.recorded_at(Log.RECORD, position + 1) if head > position else None
            waited = (self.stores.clock.now() - oldest).total_seconds() if oldest else 0.0
            parked = len(publications.parked())
        return {
            "subscribers": [
                {
                    "name": SUBSCRIBERS,
                    "lag_events": max(head - position, 0),
                    "lag_seconds": round(max(waited, 0.0), 1),
                    "parked": parked,
                }
            ]
        }

    def tail(self, *, wait_ms: int) -> list[Json]:
        """The messages that are on the topic, with their attributes. Ends when none came for so long."""
        from adapters.kafka.subscribers import tail

        return [
            {"partition": partition, "key": key, **attributes}
            for partition, key, attributes in tail(self._broker(), wait_ms=wait_ms)
        ]

    def health(self) -> str:
        """One line for `health`. Raises Unavailable where the broker is away or nobody publishes what is old."""
        from adapters.kafka.subscribers import reachable

        [one] = self.status()["subscribers"]
        behind = f"{one['lag_events']} events behind, {one['parked']} records parked"
        try:
            reachable(self._broker())
        except Unavailable as away:
            raise Unavailable(f"The broker is away; subscribers are {behind}. {away.message}") from None
        if one["lag_seconds"] > LAG_SECONDS:
            raise Unavailable(
                f"Subscribers are {behind}, the oldest for {one['lag_seconds'] / 60:.0f} minutes: "
                "see that `contactpoint stream publish` runs."
            )
        return f"broker answers, {behind}"

    def _broker(self) -> str:
        if self.bootstrap is None:
            raise BadInput(
                "No broker is named: set CONTACTPOINT_KAFKA, for example to what `contactpoint kafka` prints.",
                code="no-broker",
                field="CONTACTPOINT_KAFKA",
            )
        return self.bootstrap
