"""A publisher until it is killed, or has caught up, or for ever. Run by `test_publisher.py`, with all that it needs as
arguments."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from adapters.clock import SystemClock
from adapters.faults import FaultAt, Reach, no_fault
from adapters.ids import RandomIds
from adapters.kafka.subscribers import KafkaSubscribers
from adapters.keys.kek import KekFiles
from adapters.keys.key_store import KeyStore
from adapters.keys.parts import Parts
from adapters.postgres.databases import Databases, Role
from adapters.postgres.key_table import PostgresKeyring
from adapters.postgres.log_reader import PostgresLogReader
from adapters.postgres.publications import PostgresPublications
from adapters.postgres.recorder import LogRecorder
from adapters.publisher import Publisher
from adapters.rule_files import packaged
from adapters.store import EncryptedEventStore
from domain.child_record.events import EVENTS
from domain.kernel import Log
from domain.policy.rule_book import RuleBook

BATCH: Final = 20
"""Small, so that a few children make many batches."""


@contextmanager
def publisher(
    databases: Databases,
    kek: Path,
    bootstrap: str,
    topic: str,
    *,
    lease_seconds: float = 0.5,
    reach: Reach = no_fault,
) -> Iterator[Publisher]:
    """A publisher under its own role, as `contactpoint stream publish` makes it."""
    clock = SystemClock()
    keyring = PostgresKeyring(databases.keyring, Role.PUBLISHER)
    keys = KeyStore(keyring, KekFiles(kek, "keyring"))
    recorder = LogRecorder(databases.record, Role.PUBLISHER, Log.RECORD)
    log = PostgresLogReader(databases.record, Role.PUBLISHER)
    publications = PostgresPublications(databases.record, reach=reach)
    subscribers = KafkaSubscribers(bootstrap, topic, reach=reach)
    with ExitStack() as closing:
        for each in (keyring, recorder, log, publications, subscribers):
            closing.callback(each.close)
        yield Publisher(
            log=log,
            open=EncryptedEventStore(recorder, keys, Parts(EVENTS), RandomIds(), clock).load_many,
            publications=publications,
            subscribers=subscribers,
            rules=RuleBook(one.rules for one in packaged().values()),
            clock=clock,
            lease_seconds=lease_seconds,
            batch=BATCH,
        )


def _killed() -> None:
    time.sleep(0.2)  # what was handed to the client is on its way meanwhile
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    record, keyring, kek, bootstrap, topic, point, nth, for_ever = sys.argv[1:]
    databases = Databases.at(record=record, keyring=keyring, shielded="", views="")
    reach: Reach = FaultAt(point, int(nth), _killed) if point else no_fault
    with publisher(databases, Path(kek), bootstrap, topic, reach=reach) as made:
        print("ready", flush=True)
        made.run(until_caught_up=not int(for_ever))
    print("caught up", flush=True)
