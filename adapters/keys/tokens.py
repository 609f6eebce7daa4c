"""Keyed digests: nothing stored is derived from personal data without a secret."""

from uuid import UUID

from adapters.keys.cipher import keyed_digest, subkey
from adapters.keys.key_store import KeyStore
from domain.personal_data import Forgotten


class SystemTokens:
    """Digests under subkeys of the system key, one for each label. Implements domain.ports.Tokens."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys
        self._subkeys: dict[str, bytes] = {}

    def token(self, label: str, value: bytes) -> bytes:
        """See domain.ports.Tokens. Raises KeyError for a label that `cipher.LABELS` does not list, Unavailable."""
        key = self._subkeys.get(label)
        if key is None:
            key = self._subkeys[label] = subkey(self._keys.system(), label)
        return keyed_digest(key, value)


def child_digest(keys: KeyStore, child_id: UUID, value: bytes) -> bytes | Forgotten:
    """What was shown of one child, digested under a subkey of its identity key. Raises DamagedStream, Unavailable."""
    identity = keys.identity(child_id)
    return identity if isinstance(identity, Forgotten) else keyed_digest(subkey(identity, "digest"), value)
