"""Makes, opens, moves and destroys the keys of children, accounts, organisations, months and the system itself.

The row in `keyring` says how a key stands: open, elsewhere (in `shielded`) or forgotten (under a certificate); no row
at all is damage. Keys are committed before the first event that uses them. Between the two databases a key is always
committed in the one before it leaves the other, so a process that dies in between leaves it in both, and doing the same
again completes it.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, NamedTuple, TypeAlias
from uuid import UUID

from adapters.faults import Reach, no_fault
from adapters.key_rows import (
    PERIOD_SUBJECT,
    SYSTEM_SUBJECT,
    GenerationGone,
    KeyKind,
    KeyName,
    KeyringTable,
    KeyRow,
    Opening,
    ShieldedTable,
)
from adapters.keys.cipher import KEY_BYTES, NONCE_BYTES, RANDOM, Damage, Random, unwrap, wrap
from adapters.keys.kek import Kek
from domain.errors import DamagedStream, Unavailable, VersionConflict
from domain.personal_data import HIDDEN, Forgotten, Hidden

CACHE_SECONDS: Final = 60.0
CACHE_SUBJECTS: Final = 4096
SYSTEM_KEY: Final = KeyName(SYSTEM_SUBJECT, KeyKind.SYSTEM, 1)
_ELSEWHERE_GENERATION: Final = 0


@dataclass(frozen=True, slots=True)
class Broken:
    """A key row whose key does not come out of it: damage."""


BROKEN: Final = Broken()
KeyState: TypeAlias = bytes | Hidden | Forgotten | Broken


class SubjectKeys(NamedTuple):
    """The keys of one subject by kind and number: 32 bytes, elsewhere, forgotten or broken. Absent: damage."""

    states: dict[tuple[int, int], KeyState]

    def __repr__(self) -> str:
        return f"SubjectKeys({len(self.states)})"

    def get(self, kind: int, number: int = 0) -> KeyState | None:
        return self.states.get((kind, number))

    def has(self, kind: int) -> bool:
        return (kind, 0) in self.states


class Wanted(NamedTuple):
    """A key that an append needs: made if it is not there (`may_make`), in the database where it belongs."""

    name: KeyName
    shielded: bool = False
    may_make: bool = True


class Ready(NamedTuple):
    """Keys that are committed. `found`: left by an attempt that died. `moved`: subjects of which a key moved."""

    keys: dict[KeyName, bytes]
    found: tuple[KeyName, ...] = ()
    moved: frozenset[UUID] = frozenset()

    def __repr__(self) -> str:
        return f"Ready({len(self.keys)})"


@dataclass
class _Cache:
    """Raw keys for at most a minute. A cache is a copy of the key: small, short-lived, emptied on destruction."""

    monotonic: Callable[[], float]
    _kept: dict[UUID, tuple[float, SubjectKeys]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def get(self, subject: UUID) -> SubjectKeys | None:
        found = self._kept.get(subject)
        return found[1] if found and self.monotonic() < found[0] else None

    def put(self, subject: UUID, keys: SubjectKeys) -> None:
        with self._lock:
            while len(self._kept) >= CACHE_SUBJECTS:
                del self._kept[next(iter(self._kept))]
            self._kept.pop(subject, None)
            self._kept[subject] = (self.monotonic() + CACHE_SECONDS, keys)

    def flush(self, subject: UUID | None = None) -> None:
        with self._lock:
            if subject is None:
                self._kept.clear()
            else:
                self._kept.pop(subject, None)


class _Box:
    """One key database with its key-encryption keys."""

    def __init__(self, kek: Kek, random: Random) -> None:
        self._kek = kek
        self._random = random

    def wrapped(self, raw: Mapping[KeyName, bytes]) -> list[KeyRow]:
        """These keys wrapped under the newest generation, looked up now."""
        generation, key = self._kek.newest()
        nonces = self._random(NONCE_BYTES * len(raw))
        return [
            KeyRow(
                subject,
                kind,
                number,
                generation,
                wrap(key, one, subject, kind, number, generation, nonces[at : at + NONCE_BYTES]),
            )
            for ((subject, kind, number), one), at in zip(
                raw.items(), range(0, len(nonces), NONCE_BYTES), strict=True
            )
        ]

    def open(self, row: KeyRow) -> KeyState:
        if row.certificate is not None:
            return Forgotten(row.certificate)
        if row.wrapped is None:
            return HIDDEN
        try:
            return unwrap(
                self._kek.of(row.generation), row.wrapped, row.subject, row.kind, row.number, row.generation
            )
        except Damage:
            return BROKEN


class KeyStore:
    """The keys of a home. Without `shielded` it can neither read nor place the content keys of shielded children.

    `reach` is told the name of each point at which a crash must do no harm (`FAULT_POINTS`).
    """

    FAULT_POINTS: Final = (
        "keys.before-shielded-made",
        "keys.after-shielded-made",
        "keys.before-made",
        "keys.after-made",
        "keys.before-moved-in",
        "keys.copied-in",
        "keys.after-moved-in",
        "keys.before-moved-out",
        "keys.copied-out",
        "keys.after-moved-out",
        "keys.before-destroyed",
        "keys.destroyed-in-shielded",
        "keys.after-destroyed",
    )

    def __init__(
        self,
        keyring: KeyringTable,
        keyring_kek: Kek,
        shielded: ShieldedTable | None = None,
        shielded_kek: Kek | None = None,
        *,
        opening: Opening | None = None,
        random: Random = RANDOM,
        monotonic: Callable[[], float] = time.monotonic,
        reach: Reach = no_fault,
    ) -> None:
        self._keyring = keyring
        self._box = _Box(keyring_kek, random)
        self._shielded = shielded
        self._opening = opening
        self._shielded_box = _Box(shielded_kek, random) if shielded_kek is not None else None
        self._random = random
        self._cache = _Cache(monotonic)
        self._reach = reach

    # Opening

    def open(self, subjects: Iterable[UUID], *, fresh: bool = False) -> dict[UUID, SubjectKeys]:
        """The keys of these subjects as `keyring` has them; subjects without any row are left out.

        `fresh` passes the cache by. Raises Unavailable.
        """
        found: dict[UUID, SubjectKeys] = {}
        missing: list[UUID] = []
        for subject in dict.fromkeys(subjects):
            known = None if fresh else self._cache.get(subject)
            if known is None:
                missing.append(subject)
            else:
                found[subject] = known
        if missing:
            try:
                found |= self._read(missing)
            except GenerationGone:  # wrapped anew between reading the row and opening it
                found |= self._read(missing)
            for subject in missing:
                if subject in found and all(
                    isinstance(state, bytes) for state in found[subject].states.values()
                ):
                    self._cache.put(subject, found[subject])
        return found

    def opened(self, rows: Iterable[KeyRow]) -> dict[UUID, SubjectKeys]:
        """The keys in these rows of `keyring`, none of them remembered. Raises GenerationGone: read the rows again."""
        found: dict[UUID, SubjectKeys] = {}
        for row in rows:
            keys = found.get(row.subject)
            if keys is None:
                keys = found[row.subject] = SubjectKeys({})
            keys.states[row.kind, row.number] = self._box.open(row)
        return found

    def _read(self, subjects: Sequence[UUID]) -> dict[UUID, SubjectKeys]:
        return self.opened(self._keyring.read(subjects))

    def reveal(self, keys: dict[UUID, SubjectKeys]) -> dict[UUID, SubjectKeys]:
        """The same keys with those that are elsewhere read from `shielded`. Needs the writer's right."""
        away = [subject for subject, own in keys.items() if HIDDEN in own.states.values()]
        if not away:
            return keys
        revealed = dict(keys)
        for attempt in range(3):  # a key that moves out while we look is in neither place we looked
            rows = self._shielded_table().read(away)
            revealed |= self._overlaid({subject: revealed[subject] for subject in away}, rows)
            away = [subject for subject in away if HIDDEN in revealed[subject].states.values()]
            if not away:
                break
            if attempt < 2:
                revealed |= self.open(away, fresh=True)
        for subject in away:
            states = revealed[subject].states
            revealed[subject] = SubjectKeys(
                {name: BROKEN if s == HIDDEN else s for name, s in states.items()}
            )
        return revealed

    def open_for_access(self, subject: UUID, access: UUID, keys: SubjectKeys) -> SubjectKeys:
        """The same keys with those of one shielded child that this access may open. The opening is noted."""
        if self._opening is None:
            raise Unavailable("This role may not open shielded content.")
        rows = self._opening.open_for_access(subject, access)
        return self._overlaid({subject: keys}, rows)[subject]

    def _overlaid(self, keys: dict[UUID, SubjectKeys], rows: Sequence[KeyRow]) -> dict[UUID, SubjectKeys]:
        box = self._shielded_side()
        revealed = {subject: SubjectKeys(dict(own.states)) for subject, own in keys.items()}
        for row in rows:
            own = revealed.get(row.subject)
            if own is not None and own.get(row.kind, row.number) == HIDDEN:
                own.states[row.kind, row.number] = box.open(row)
        return revealed

    def identity(self, subject: UUID) -> bytes | Forgotten:
        """A child's identity key. Raises DamagedStream where it is missing without a certificate."""
        keys = self.open([subject]).get(subject)
        state = keys.get(KeyKind.IDENTITY) if keys else None
        if isinstance(state, bytes | Forgotten):
            return state
        raise DamagedStream(subject)

    def period(self, number: int) -> bytes:
        """The key of a month, made if it is not there. Raises VersionConflict where it was destroyed."""
        return self._common(KeyName(PERIOD_SUBJECT, KeyKind.PERIOD, number))

    def system(self) -> bytes:
        """The system key, made if it is not there."""
        return self._common(SYSTEM_KEY)

    def _common(self, name: KeyName) -> bytes:
        keys = self.open([name.subject]).get(name.subject)
        state = keys.get(name.kind, name.number) if keys else None
        if isinstance(state, bytes):
            return state
        return self.ensure([Wanted(name)]).keys[name]

    # Making

    def drawn(self, wanted: Sequence[Wanted]) -> dict[KeyName, bytes]:
        """Random keys, committed nowhere yet."""
        entropy = self._random(KEY_BYTES * len(wanted))
        return {each.name: entropy[at * KEY_BYTES : (at + 1) * KEY_BYTES] for at, each in enumerate(wanted)}

    def make(self, wanted: Sequence[Wanted], drawn: dict[KeyName, bytes] | None = None) -> Ready:
        """Keys of subjects that nobody has heard of yet, made in a statement per database. `drawn`: as they are to be.

        Where an attempt that died has left some behind, those are used instead: `found` names them. Raises as `ensure`
        does.
        """
        raw = self.drawn(wanted) if drawn is None else drawn
        hidden = {each.name: raw[each.name] for each in wanted if each.shielded}
        made = self._make_hidden(hidden) and self._make_open(raw, hidden)
        if made:
            return Ready(raw)
        there = self.ensure(wanted)
        return there._replace(found=tuple(name for name, key in there.keys.items() if key != raw[name]))

    def ensure(self, wanted: Sequence[Wanted], highest_used: Callable[[UUID], int] = lambda _: 0) -> Ready:
        """These keys, made where they are missing, and committed when this returns.

        A content key that lies in the other database than wanted is used where it lies if an event uses it already
        (`highest_used` tells the highest number of a stream's), and is moved first if none does. Raises
        VersionConflict where one was destroyed, DamagedStream where one is broken, Unavailable.
        """
        away = self.open({each.name.subject for each in wanted})
        keys = self.reveal(away) if self._shielded is not None else away
        ready: dict[KeyName, bytes] = {}
        moved: set[UUID] = set()
        rest: dict[UUID, list[Wanted]] = {}
        for each in wanted:
            state = _state(keys, each.name)
            elsewhere = _state(away, each.name) == HIDDEN
            if isinstance(state, bytes) and (each.name.kind != KeyKind.CONTENT or elsewhere == each.shielded):
                ready[each.name] = state
            else:
                rest.setdefault(each.name.subject, []).append(each)
        for subject, own in rest.items():
            with self._keyring.alone(subject):
                ready.update({each.name: self._ensured(each, highest_used, moved) for each in own})
            self._cache.flush(subject)
        return Ready(ready, moved=frozenset(moved))

    def put_back(self, raw: dict[KeyName, bytes], *, shielded: bool) -> None:
        """Make sure that these keys are still there, now that events use them."""
        hidden = {name: key for name, key in raw.items() if shielded and name.kind == KeyKind.CONTENT}
        self._make_hidden(hidden)
        self._make_open(raw, hidden)

    def _ensured(self, each: Wanted, highest_used: Callable[[UUID], int], moved: set[UUID]) -> bytes:
        """One key, looked at again where nobody else may touch its subject."""
        name = each.name
        row, there = self._row(self._keyring, name), None
        if self._shielded is not None and name.kind == KeyKind.CONTENT:
            there = self._row(self._shielded, name)
        if any(found is not None and found.certificate is not None for found in (row, there)):
            raise VersionConflict("The keys of this record were destroyed meanwhile.")
        if row is None and each.may_make:
            return self._made(each, there)
        if row is None:
            raise DamagedStream(name.subject)
        if each.shielded and row.wrapped is not None:
            moved.add(name.subject)
            self._one_in(row, there)
        if row.wrapped is not None:
            return self._opened(self._box, row)
        if there is None:
            raise DamagedStream(name.subject)
        if not each.shielded and name.number > highest_used(name.subject):
            moved.add(name.subject)
            self._one_out(row, there)
        return self._opened(self._shielded_side(), there)

    def _made(self, each: Wanted, there: KeyRow | None) -> bytes:
        """One key of which `keyring` has no row; an attempt that died may have left it in `shielded`."""
        raw = self._random(KEY_BYTES) if there is None else self._opened(self._shielded_side(), there)
        hidden = {each.name: raw} if each.shielded else {}
        if there is None:
            self._make_hidden(hidden)
        self._make_open({each.name: raw}, hidden)
        row = self._row(self._keyring, each.name)
        if row is None:
            raise DamagedStream(each.name.subject)
        if each.shielded:
            return raw
        if there is not None:
            self._shielded_table().drop(each.name.subject, each.name.number)
        return self._opened(self._box, row)  # of a month's key another process may have made one first

    def _make_hidden(self, raw: dict[KeyName, bytes]) -> bool:
        if not raw:
            return True
        table, box = self._shielded_table(), self._shielded_side()
        self._reach("keys.before-shielded-made")
        made = table.add(lambda: box.wrapped(raw))
        self._reach("keys.after-shielded-made")
        return made == len(raw)

    def _make_open(self, raw: dict[KeyName, bytes], hidden: dict[KeyName, bytes]) -> bool:
        """All of them in `keyring`, those that are hidden as elsewhere."""
        away = [KeyRow(*name, _ELSEWHERE_GENERATION, None) for name in hidden]
        ours = {name: key for name, key in raw.items() if name not in hidden} if hidden else raw
        self._reach("keys.before-made")
        made = self._keyring.add(lambda: self._box.wrapped(ours) + away)
        self._reach("keys.after-made")
        return made == len(raw)

    def _row(self, table: KeyringTable | ShieldedTable, name: KeyName) -> KeyRow | None:
        return next((row for row in table.read([name.subject]) if _name(row) == name), None)

    # Moving

    def move_in(self, child_id: UUID) -> None:
        """Bring every open content key of the child into `shielded`. Idempotent; a run that died is completed."""
        self._move(child_id, self._one_in)

    def move_out(self, child_id: UUID) -> None:
        """Bring them back after the last shield was lifted. Idempotent; a run that died is completed."""
        self._move(child_id, self._one_out)

    def _move(self, child_id: UUID, one: Callable[[KeyRow, KeyRow | None], None]) -> None:
        with self._keyring.alone(child_id):
            there = {row.number: row for row in self._shielded_table().read([child_id])}
            for row in sorted(self._keyring.read([child_id])):
                if row.kind == KeyKind.CONTENT:
                    one(row, there.get(row.number))
        self._cache.flush(child_id)

    def _one_in(self, row: KeyRow, there: KeyRow | None) -> None:
        name = _name(row)
        if row.wrapped is None:
            return
        if there is not None and there.certificate is not None:  # a destruction that died half-way
            self._keyring.forget(name, there.certificate)
            return
        raw = self._opened(self._box, row)
        self._reach("keys.before-moved-in")
        if there is None:
            box = self._shielded_side()
            self._shielded_table().add(lambda: box.wrapped({name: raw}))
        elif self._opened(self._shielded_side(), there) != raw:
            raise DamagedStream(row.subject)
        self._reach("keys.copied-in")
        self._keyring.vacate(row.subject, row.number)
        self._reach("keys.after-moved-in")

    def _one_out(self, row: KeyRow, there: KeyRow | None) -> None:
        name = _name(row)
        if there is None or row.certificate is not None:
            return
        if there.certificate is not None:
            self._keyring.forget(name, there.certificate)
            return
        raw = self._opened(self._shielded_side(), there)
        self._reach("keys.before-moved-out")
        if row.wrapped is None:
            (ours,) = self._box.wrapped({name: raw})
            self._keyring.occupy(ours)
        elif self._opened(self._box, row) != raw:
            raise DamagedStream(row.subject)
        self._reach("keys.copied-out")
        self._shielded_table().drop(row.subject, row.number)
        self._reach("keys.after-moved-out")

    # Destroying

    def destroy(self, child_id: UUID, certificate: UUID) -> int:
        """Empty every key row of the child in both databases, naming the certificate. Returns how many keys that was.

        Idempotent: keys destroyed before keep the certificate they were destroyed under. Irreversible.
        """
        return self._destroy(child_id, certificate, lambda _: True)

    def destroy_content(self, child_id: UUID, number: int, certificate: UUID) -> int:
        """Destroy one content key alone: a sensitive involvement's. Returns 1, or 0 where that was done before."""
        return self._destroy(
            child_id, certificate, lambda row: (row.kind, row.number) == (KeyKind.CONTENT, number)
        )

    def _destroy(self, child_id: UUID, certificate: UUID, which: Callable[[KeyRow], bool]) -> int:
        with self._keyring.alone(child_id):
            self._reach("keys.before-destroyed")
            table = self._shielded_table()
            for row in filter(which, table.read([child_id])):
                table.forget(_name(row), certificate)
            self._reach("keys.destroyed-in-shielded")
            rows = filter(which, self._keyring.read([child_id]))
            emptied = sum(self._keyring.forget(_name(row), certificate) for row in rows)
            self._reach("keys.after-destroyed")
        self._cache.flush(child_id)
        return emptied

    def flush(self) -> None:
        """Empty the cache."""
        self._cache.flush()

    def _opened(self, box: _Box, row: KeyRow) -> bytes:
        state = box.open(row)
        if not isinstance(state, bytes):
            raise DamagedStream(row.subject)
        return state

    def _shielded_table(self) -> ShieldedTable:
        if self._shielded is None:
            raise Unavailable("This role may not place or open the keys of shielded children.")
        return self._shielded

    def _shielded_side(self) -> _Box:
        if self._shielded_box is None:
            raise Unavailable("This role may not place or open the keys of shielded children.")
        return self._shielded_box


def _name(row: KeyRow) -> KeyName:
    return KeyName(row.subject, row.kind, row.number)


def _state(keys: dict[UUID, SubjectKeys], name: KeyName) -> KeyState | None:
    own = keys.get(name.subject)
    return own.get(name.kind, name.number) if own else None
