"""What tells subscribers of changes: the publisher of this home, and how far it is."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from adapters.faults import Reach, no_fault
from adapters.postgres.databases import Role
from adapters.postgres.log_reader import PostgresLogReader
from adapters.postgres.publications import PostgresPublications
from adapters.publisher import LEASE_SECONDS, Publisher
from adapters.store import Reveal
from cli.output import Json
from cli.stores import Stores
from domain.errors import BadInput
from domain.kernel import Log
from domain.rule_set.model import RuleSet

SUBSCRIBERS = "kafka"


@dataclass(frozen=True, slots=True)
class Streaming:
    """The stream of one home. `bootstrap` None: no broker is configured, and nothing is published."""

    stores: Stores
    rules: RuleSet
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
                open=self.stores.store(Role.PUBLISHER, Reveal.NAMES).load_many,
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

    def status(self) -> Json:
        """How far subscribers are behind, in events, and how many records wait because they cannot be opened."""
        publications = PostgresPublications(self.stores.databases.record, Role.SERVICE)
        try:
            head = self.stores.recorder(Role.SERVICE, Log.RECORD).head().position
            behind = max(head - publications.position(), 0)
            parked = len(publications.parked())
        finally:
            publications.close()
        return {"subscribers": [{"name": SUBSCRIBERS, "lag_events": behind, "parked": parked}]}

    def tail(self, *, wait_ms: int) -> list[Json]:
        """The messages that are on the topic, with their attributes. Ends when none came for so long."""
        from adapters.kafka.subscribers import tail

        return [
            {"partition": partition, "key": key, **attributes}
            for partition, key, attributes in tail(self._broker(), wait_ms=wait_ms)
        ]

    def health(self) -> str:
        """One line for `health`. Raises Unavailable where the broker is away."""
        from adapters.kafka.subscribers import reachable

        reachable(self._broker())
        [one] = self.status()["subscribers"]
        return f"broker answers, {one['lag_events']} events behind, {one['parked']} records parked"

    def _broker(self) -> str:
        if self.bootstrap is None:
            raise BadInput(
                "No broker is named: set CONTACTPOINT_KAFKA, for example to what `contactpoint kafka` prints.",
                code="no-broker",
                field="CONTACTPOINT_KAFKA",
            )
        return self.bootstrap
