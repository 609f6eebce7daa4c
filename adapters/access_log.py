"""The log of looks, over an event store: each access is a stream of its own, written before anything is shown."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from adapters.key_rows import period_of
from adapters.keys.cipher import access_key, keyed_digest, subkey
from adapters.keys.key_store import KeyStore
from domain.access.events import Looked
from domain.access.model import LOOKED_ALREADY, Access, NotSignedIn
from domain.errors import AuditUnavailable, ContactPointError, Refused, VersionConflict
from domain.kernel import Change, Metadata, Pending, StreamKind
from domain.personal_data import Forgotten
from domain.ports import EventStore

_GONE = bytes(32)
"""In place of the digest of a display whose child was destroyed: matches nothing."""


class StoredAccessLog:
    """Implements `domain.access.ports.AccessLog`."""

    def __init__(self, store: EventStore, keys: KeyStore) -> None:
        self._store = store
        self._keys = keys

    def digests(
        self, access_id: UUID, instant: datetime, displays: Sequence[tuple[UUID, bytes]], page: bytes
    ) -> tuple[list[bytes], bytes]:
        """HMAC-SHA256: of each display under a subkey of its child's identity key, of the page under the access's."""
        identities = [self._keys.identity(child_id) for child_id, _ in displays]
        each = [
            _GONE if isinstance(identity, Forgotten) else keyed_digest(subkey(identity, "digest"), display)
            for identity, (_, display) in zip(identities, displays, strict=True)
        ]
        living = tuple(identity for identity in identities if isinstance(identity, bytes))
        if len(living) < len(identities):
            return each, _GONE
        own = access_key(self._keys.period(period_of(instant)), living, access_id)
        return each, keyed_digest(subkey(own, "page"), page)

    def append(self, access: Access | NotSignedIn) -> None:
        """Commit the access. Raises AuditUnavailable where that cannot be done, whatever the cause.

        Raises Refused where there is one of this id: what may be looked at once bears an id that was known beforehand.
        """
        change = Change(access.access_id, StreamKind.ACCESS, 0, (Pending(access.event),))
        try:
            self._store.append([change], access.metadata, instant=access.event.instant)
        except VersionConflict:
            raise Refused("This look was made before, and may be made once.", code=LOOKED_ALREADY) from None
        except ContactPointError as error:
            raise AuditUnavailable(
                "The access could not be recorded, so nothing is shown. Run `contactpoint health`."
            ) from error

    def load(self, access_id: UUID) -> Access | None:
        """One access as recorded, or None."""
        history = self._store.load(access_id)
        if not history.events:
            return None
        recorded = history.events[0]
        if not isinstance(recorded.event, Looked) or not isinstance(recorded.metadata, Metadata):
            return None
        return Access(access_id, recorded.event, recorded.metadata)
