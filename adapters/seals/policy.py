"""Whose cosignatures a checkpoint needs before it is published: a policy in the form of C2SP tlog-policy.

    witness NAME VKEY URL            a witness: its verifier key, and where it takes checkpoints
    group NAME all|any|K MEMBER…     met where all, one or K of its members are
    quorum NAME|none                 what must be met

Empty lines and those that begin with `#` are passed over. A name stands before whatever refers to it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from adapters.seals.notes import BadNote, Kind, Note, Verifier

NONE: Final = "none"


class BadPolicy(ValueError):
    """The policy cannot be read. `line`: where, from 1 (0: as a whole)."""

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line}")
        self.line = line


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A witness: its key, and where it takes checkpoints."""

    name: str
    key: Verifier
    url: str


@dataclass(frozen=True, slots=True)
class _Group:
    needed: int
    members: Sequence[str]


@dataclass(frozen=True, slots=True)
class Policy:
    """Which witnesses there are and which of them suffice."""

    witnesses: Mapping[str, WitnessKey]
    groups: Mapping[str, _Group]
    quorum: str

    @classmethod
    def of(cls, text: str) -> "Policy":
        """Read a policy. Raises BadPolicy."""
        witnesses: dict[str, WitnessKey] = {}
        groups: dict[str, _Group] = {}
        quorum = ""
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split()
            try:
                match words:
                    case [] | ["log", *_]:
                        pass
                    case [first, *_] if first.startswith("#"):
                        pass
                    case ["witness", name, key, url] if name not in {*witnesses, *groups, NONE}:
                        witnesses[name] = WitnessKey(name, _witness_key(key), url.rstrip("/"))
                    case ["group", name, needed, *members] if members and name not in {
                        *witnesses, *groups, NONE,
                    }:  # fmt: skip
                        groups[name] = _group(needed, members, {*witnesses, *groups})
                    case ["quorum", name] if not quorum and name in {*witnesses, *groups, NONE}:
                        quorum = name
                    case _:
                        raise BadPolicy(number)
            except ValueError:
                raise BadPolicy(number) from None
        if not quorum:
            raise BadPolicy(0)
        return cls(witnesses, groups, quorum)

    def met_by(self, note: Note) -> bool:
        """Whether a note has the cosignatures that the quorum asks for."""
        return self.met(lambda witness: note.signed_by(witness.key) is not None)

    def met(self, has_signed: Callable[[WitnessKey], bool]) -> bool:
        """Whether the quorum is met by the witnesses that have signed."""
        return self.quorum == NONE or self._met(self.quorum, has_signed)

    def _met(self, name: str, has_signed: Callable[[WitnessKey], bool]) -> bool:
        if name in self.witnesses:
            return has_signed(self.witnesses[name])
        group = self.groups[name]
        return sum(self._met(member, has_signed) for member in group.members) >= group.needed


def _witness_key(line: str) -> Verifier:
    key = Verifier.of(line)
    if key.kind is not Kind.WITNESS:
        raise BadNote("this is not the key of a witness")
    return key


def _group(needed: str, members: Sequence[str], known: set[str]) -> _Group:
    number = {"all": len(members), "any": 1}.get(needed) or int(needed)
    if not 1 <= number <= len(members) or not set(members) <= known or len(set(members)) < len(members):
        raise ValueError("this group cannot be met")
    return _Group(number, tuple(members))
