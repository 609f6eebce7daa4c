"""Sessions, tries and rows of authenticators in memory. Held to the same contract as PostgreSQL."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock
from typing import NamedTuple
from uuid import UUID

from adapters.authenticator_rows import AuthenticatorRow, EnrolmentRow
from domain.ports import Session


class MemorySessions:
    """Implements `domain.ports.Sessions`."""

    def __init__(self) -> None:
        self._kept: dict[bytes, Session] = {}
        self._lock = Lock()

    def begin(self, token: bytes, session: Session) -> None:
        """See the port."""
        with self._lock:
            self._kept[token] = session

    def find(self, token: bytes) -> Session | None:
        """See the port."""
        return self._kept.get(token)

    def use(self, session_id: UUID, at: datetime, idle: timedelta, most: timedelta) -> bool:
        """See the port."""
        with self._lock:
            for token, one in self._kept.items():
                if one.session_id == session_id and one.seen_at > at - idle and one.began_at > at - most:
                    self._kept[token] = replace(one, seen_at=max(one.seen_at, at))
                    return True
        return False

    def step_up(self, token: bytes, fresh: bytes, at: datetime) -> bool:
        """See the port."""
        with self._lock:
            one = self._kept.pop(token, None)
            if one is not None:
                self._kept[fresh] = replace(one, proved_at=at)
        return one is not None

    def end(self, session_id: UUID) -> bool:
        """See the port."""
        return self._forget([token for token, one in self._kept.items() if one.session_id == session_id]) > 0

    def end_all(self, account: UUID) -> int:
        """See the port."""
        return self._forget([token for token, one in self._kept.items() if one.account == account])

    def of(self, account: UUID) -> list[Session]:
        """See the port."""
        own = [one for one in self._kept.values() if one.account == account]
        return sorted(own, key=lambda one: (one.began_at, one.session_id))

    def sweep(self, began_before: datetime) -> int:
        """See the port."""
        return self._forget([token for token, one in self._kept.items() if one.began_at < began_before])

    def _forget(self, tokens: Sequence[bytes]) -> int:
        with self._lock:
            return sum(self._kept.pop(token, None) is not None for token in tokens)


class _Tries(NamedTuple):
    failures: int
    next_at: datetime
    at: datetime


class MemoryAttempts:
    """Implements `domain.ports.Attempts`."""

    def __init__(self) -> None:
        self._tries: dict[bytes, _Tries] = {}
        self._devices: dict[tuple[bytes, UUID], datetime] = {}
        self._lock = Lock()

    def take(self, bucket: bytes, at: datetime, waits: Sequence[int], most: int | None = None) -> bool:
        """See the port."""
        with self._lock:
            before = self._tries.get(bucket)
            spent = before is not None and most is not None and before.failures >= most
            if spent or (before is not None and before.next_at > at):
                return False
            failures = (before.failures if before else 0) + 1
            wait = timedelta(seconds=waits[min(failures, len(waits)) - 1])
            self._tries[bucket] = _Tries(failures, at + wait, at)
            return True

    def succeeded(self, bucket: bytes) -> None:
        """See the port."""
        with self._lock:
            self._tries.pop(bucket, None)

    def is_known(self, device: bytes, account: UUID, since: datetime) -> bool:
        """See the port."""
        at = self._devices.get((device, account))
        return at is not None and at >= since

    def know(self, device: bytes, account: UUID, at: datetime) -> None:
        """See the port."""
        with self._lock:
            self._devices[device, account] = at

    def device_of(self, account: UUID, at: datetime) -> bytes | None:
        """See the port."""
        return next((key[0] for key, last in self._devices.items() if key[1] == account and last == at), None)

    def accounts_on(self, device: bytes, since: datetime) -> list[UUID]:
        """See the port."""
        return sorted(key[1] for key, last in self._devices.items() if key[0] == device and last >= since)

    def forget_devices(self, account: UUID) -> None:
        """See the port."""
        with self._lock:
            self._devices = {key: at for key, at in self._devices.items() if key[1] != account}

    def sweep(self, before: datetime) -> None:
        """See the port."""
        with self._lock:
            self._tries = {key: tries for key, tries in self._tries.items() if tries.at >= before}
            self._devices = {key: at for key, at in self._devices.items() if at >= before}


class MemoryAuthenticatorTable:
    """Implements `adapters.authenticator_rows.AuthenticatorTable`."""

    def __init__(self) -> None:
        self._rows: dict[UUID, AuthenticatorRow] = {}
        self._enrolments: dict[UUID, EnrolmentRow] = {}
        self._lock = Lock()

    def near(self, account: UUID) -> AuthenticatorRow | None:
        """See the protocol."""
        with self._lock:
            return min(
                self._rows.values(), key=lambda row: (row.account < account, row.account), default=None
            )

    def put(self, row: AuthenticatorRow) -> None:
        """See the protocol."""
        with self._lock:
            self._rows[row.account] = row

    def move(self, account: UUID, number: str, step: int) -> bool:
        """See the protocol."""
        with self._lock:
            row = self._rows.get(account)
            if row is None or row.number != number or row.last_step >= step:
                return False
            self._rows[account] = row._replace(last_step=step)
            return True

    def reseal(self, account: UUID, number: str, sealed: bytes) -> bool:
        """See the protocol."""
        with self._lock:
            row = self._rows.get(account)
            if row is None or row.number != number:
                return False
            self._rows[account] = row._replace(sealed=sealed)
            return True

    def delete(self, account: UUID) -> None:
        """See the protocol."""
        with self._lock:
            self._rows.pop(account, None)
            self._enrolments.pop(account, None)

    def put_enrolment(self, row: EnrolmentRow) -> None:
        """See the protocol."""
        with self._lock:
            self._enrolments[row.account] = row

    def read_enrolment(self, account: UUID) -> EnrolmentRow | None:
        """See the protocol."""
        return self._enrolments.get(account)

    def pend(self, account: UUID, code: bytes, pending: bytes) -> bool:
        """See the protocol."""
        with self._lock:
            row = self._enrolments.get(account)
            if row is None or row.code != code:
                return False
            self._enrolments[account] = row._replace(pending=pending)
            return True

    def take_enrolment(self, account: UUID, code: bytes) -> bool:
        """See the protocol."""
        with self._lock:
            row = self._enrolments.get(account)
            if row is None or row.code != code:
                return False
            del self._enrolments[account]
            return True


class MemoryUsedAssertions:
    """Implements `domain.ports.UsedAssertions`."""

    def __init__(self) -> None:
        self._used: dict[bytes, datetime] = {}
        self._lock = Lock()

    def use(self, digest: bytes, until: datetime, at: datetime) -> bool:
        """See the port."""
        with self._lock:
            self._used = {key: end for key, end in self._used.items() if end >= at}
            if digest in self._used:
                return False
            self._used[digest] = until
            return True
