"""Which partition a key belongs to, as Kafka's own clients say: murmur2 of the key's bytes."""

from functools import lru_cache
from typing import Final

PARTITIONS: Final = 12
"""Of the topic of record changes, for ever: with another number a child's messages would change places."""

_MASK: Final = 0xFFFFFFFF
_MULTIPLIER: Final = 0x5BD1E995
_SEED: Final = 0x9747B28C


def murmur2(data: bytes) -> int:
    """The 32-bit hash of Kafka's default partitioner, unsigned."""
    length = len(data)
    found = (_SEED ^ length) & _MASK
    whole = length - length % 4
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * _MULTIPLIER & _MASK
        word = (word ^ word >> 24) * _MULTIPLIER & _MASK
        found = found * _MULTIPLIER & _MASK ^ word
    if rest := data[whole:]:
        found = (found ^ int.from_bytes(rest, "little")) * _MULTIPLIER & _MASK
    found = (found ^ found >> 13) * _MULTIPLIER & _MASK
    return found ^ found >> 15


@lru_cache(maxsize=4096)  # changes of a child come together
def partition_of(key: bytes) -> int:
    """The partition of a key: what a Kafka client of any language would choose by itself."""
    return (murmur2(key) & 0x7FFFFFFF) % PARTITIONS
