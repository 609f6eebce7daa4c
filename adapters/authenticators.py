"""What accounts are proved by, sealed under a subkey of each account's staff key: rows here, keys in the keyring.

Neither database opens it alone, and of a deleted row nothing opens that a backup of the rows still holds once the
account's key is destroyed. Asked for an account that is none, it asks the same of both: it opens the row that stands
next to where that account's would, and gives nothing of it out.
"""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.authenticator_rows import AuthenticatorRow, AuthenticatorTable, EnrolmentRow
from adapters.key_rows import KeyKind
from adapters.keys.cipher import NONCE_BYTES, RANDOM, Random, subkey
from adapters.keys.key_store import KeyStore
from domain.errors import DamagedStream
from domain.ports import Authenticator, Enrolment

_REGISTERED: Final = b"\x01"
_PENDING: Final = b"\x02"


class StoredAuthenticators:
    """Implements `domain.ports.Authenticators`. Raises DamagedStream where a key is missing or a row was altered."""

    def __init__(self, table: AuthenticatorTable, keys: KeyStore, *, random: Random = RANDOM) -> None:
        self._table = table
        self._keys = keys
        self._random = random

    def find(self, account: UUID) -> Authenticator | None:
        """See the port. For who has none, another's is opened and let go of: it takes the same time, to the read."""
        row = self._table.near(account)
        if row is None:
            return None
        try:
            found = self._opened(row)
        except DamagedStream:
            if row.account == account:
                raise
            return None
        return found if row.account == account else None

    def _opened(self, row: AuthenticatorRow) -> Authenticator:
        key = self._key(row.account)
        said = json.loads(_open(key, row.sealed, row.account, _REGISTERED + row.number.encode()))
        return Authenticator(row.number, said["password"], urlsafe_b64decode(said["secret"]))

    def register(self, account: UUID, authenticator: Authenticator, step: int) -> None:
        """See the port."""
        self._table.put(
            AuthenticatorRow(account, authenticator.number, self._sealed(account, authenticator), step)
        )

    def use(self, account: UUID, number: str, step: int) -> bool:
        """See the port."""
        return self._table.move(account, number, step)

    def set_password(self, account: UUID, number: str, password: str) -> bool:
        """See the port."""
        found = self.find(account)
        if found is None or found.number != number:
            return False
        changed = Authenticator(number, password, found.secret)
        return self._table.reseal(account, number, self._sealed(account, changed))

    def remove(self, account: UUID) -> None:
        """See the port."""
        self._table.delete(account)

    def issue(self, account: UUID, enrolment: Enrolment) -> None:
        """See the port."""
        self._table.put_enrolment(
            EnrolmentRow(account, enrolment.code, enrolment.until, enrolment.issued_by, None)
        )

    def enrolment(self, account: UUID) -> Enrolment | None:
        """See the port. For who has none, another's key is opened, as in `find`."""
        row, near = self._table.read_enrolment(account), self._table.near(account)
        key = self._key(account if row is not None or near is None else near.account)
        if row is None:
            return None
        pending = None if row.pending is None else _open(key, row.pending, account, _PENDING + row.code)
        return Enrolment(row.code, row.until, row.issued_by, pending)

    def pend(self, account: UUID, code: bytes, secret: bytes) -> bool:
        """See the port."""
        return self._table.pend(account, code, self._seal(account, secret, _PENDING + code))

    def enrolled(self, account: UUID, code: bytes) -> bool:
        """See the port."""
        return self._table.take_enrolment(account, code)

    def _sealed(self, account: UUID, one: Authenticator) -> bytes:
        said = {"password": one.password, "secret": urlsafe_b64encode(one.secret).decode()}
        return self._seal(account, json.dumps(said).encode(), _REGISTERED + one.number.encode())

    def _seal(self, account: UUID, plain: bytes, what: bytes) -> bytes:
        key = self._key(account)
        if key is None:
            raise DamagedStream(account)
        nonce = self._random(NONCE_BYTES)
        return nonce + key.encrypt(nonce, plain, account.bytes + what)

    def _key(self, account: UUID) -> AESGCM | None:
        """Always read anew, so that what is asked of the keyring does not tell who was here lately."""
        keys = self._keys.open([account], fresh=True).get(account)
        state = keys.get(KeyKind.STAFF) if keys else None
        return AESGCM(subkey(state, "authenticator")) if isinstance(state, bytes) else None


def _open(key: AESGCM | None, sealed: bytes, account: UUID, what: bytes) -> bytes:
    try:
        if key is None:
            raise DamagedStream(account)
        return key.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], account.bytes + what)
    except (InvalidTag, ValueError):
        raise DamagedStream(account) from None
