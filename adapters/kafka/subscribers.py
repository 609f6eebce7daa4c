"""Sending to a broker: durably acknowledged, in order, one bounded batch at a time."""

import contextlib
import logging
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError, KafkaTimeoutError, TopicAlreadyExistsError

from adapters.faults import Reach, no_fault
from adapters.kafka import messages as form
from adapters.partitions import PARTITIONS, partition_of
from domain.errors import Unavailable
from domain.ports import Message

SEND_SECONDS: Final = 20
_SETTLED_SECONDS: Final = SEND_SECONDS + 10
"""By then the client has sent or given up all that it was handed: before that it cannot be closed."""
_KEPT: Final = {"cleanup.policy": "delete", "retention.ms": str(30 * 24 * 3600 * 1000)}


class KafkaSubscribers:
    """Implements `domain.ports.Subscribers`. Connects when first used, and again after a failure."""

    FAULT_POINTS: ClassVar[tuple[str, ...]] = ("before-sending", "half-sent", "sent")

    def __init__(self, bootstrap: str, topic: str = form.TOPIC, *, reach: Reach = no_fault) -> None:
        self._bootstrap = bootstrap.split(",")
        self._topic = topic
        self._reach = reach
        self._producer: KafkaProducer | None = None
        # The client logs each failed attempt; what matters of it is in the error and in `health`.
        logging.getLogger("kafka").setLevel(logging.CRITICAL)

    def close(self) -> None:
        """Close the connection; what was not acknowledged is given up."""
        producer, self._producer = self._producer, None
        if producer is not None:
            try:
                producer.close(timeout=0)
            except KafkaTimeoutError:
                with contextlib.suppress(KafkaTimeoutError):
                    producer.close(timeout=_SETTLED_SECONDS)

    def partition_of(self, child_id: UUID) -> int:
        """The partition that Kafka's default partitioner gives the child's id."""
        return partition_of(str(child_id).encode())

    def send(self, messages: Sequence[Message]) -> None:
        """Send in this order; return once every replica in sync has all of it."""
        self._reach("before-sending")
        found = ((m.partition, form.key_of(m), form.headers_of(m)) for m in messages)
        self._send(found, half=len(messages) // 2)
        self._reach("sent")

    def beat(self, numbers: Sequence[int], at: datetime) -> None:
        """One heartbeat on each partition."""
        self._send((p, None, form.headers_of_beat(p, number, at)) for p, number in enumerate(numbers))

    def _send(self, found: Iterable[tuple[int, bytes | None, form.Headers]], half: int | None = None) -> None:
        try:
            producer = self._connected()
            futures = []
            for count, (partition, key, headers) in enumerate(found):
                if count == half:
                    self._reach("half-sent")
                # The client sends nothing without a key and a value: a heartbeat's is empty.
                futures.append(
                    producer.send(self._topic, b"" if key is None else None, key, headers, partition)
                )
            producer.flush(timeout=_SETTLED_SECONDS)
            for future in futures:
                future.get(timeout=SEND_SECONDS)
        except KafkaError as error:
            self.close()  # so that nothing of this batch is still sent behind our back
            raise away(error) from None

    def _connected(self) -> KafkaProducer:
        if self._producer is None:
            ensure_topic(self._bootstrap, self._topic)
            self._producer = KafkaProducer(
                bootstrap_servers=self._bootstrap,
                acks="all",
                enable_idempotence=True,
                delivery_timeout_ms=SEND_SECONDS * 1000,
                request_timeout_ms=SEND_SECONDS * 500,
                max_block_ms=SEND_SECONDS * 500,
                linger_ms=5,
                compression_type="gzip",  # the client adds up checksums slowly, and headers are much alike
                batch_size=64 * 1024,
            )
        return self._producer


def ensure_topic(bootstrap: Sequence[str], topic: str) -> None:
    """Make the topic where it is not there. Raises Unavailable where it has another number of partitions."""
    admin = KafkaAdminClient(bootstrap_servers=list(bootstrap), request_timeout_ms=10_000)
    try:
        if topic not in admin.list_topics():
            with contextlib.suppress(TopicAlreadyExistsError):  # another made it meanwhile
                admin.create_topics([NewTopic(topic, PARTITIONS, -1, topic_configs=_KEPT)])
        [described] = admin.describe_topics([topic])
        there = len(described["partitions"])
    finally:
        admin.close()
    if there not in (0, PARTITIONS):
        raise Unavailable(
            f"The topic {topic} has {there} partitions and needs {PARTITIONS}: name another broker."
        )


def away(error: KafkaError) -> Unavailable:
    """Our error for one of the client's, whose own text names hosts."""
    return Unavailable(
        f"The broker could not do it ({type(error).__name__}). `contactpoint health` says more."
    )


def tail(
    bootstrap: str, topic: str = form.TOPIC, *, wait_ms: int
) -> "list[tuple[int, str | None, dict[str, str]]]":
    """All messages on the topic: partition, key, attributes; ends when none came for `wait_ms`."""
    try:
        consumer = KafkaConsumer(bootstrap_servers=bootstrap.split(","), consumer_timeout_ms=wait_ms)
    except KafkaError as error:
        raise away(error) from None
    try:
        own = [TopicPartition(topic, number) for number in range(PARTITIONS)]
        consumer.assign(own)
        consumer.seek_to_beginning(*own)
        return [
            (record.partition, record.key and record.key.decode(), form.attributes(record.headers))
            for record in consumer
        ]
    finally:
        consumer.close()


def reachable(bootstrap: str) -> None:
    """Raises Unavailable where no broker answers."""
    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap.split(","), request_timeout_ms=5000)
    except KafkaError as error:
        raise away(error) from None
    try:
        admin.list_topics()
    except KafkaError as error:
        raise away(error) from None
    finally:
        admin.close()
