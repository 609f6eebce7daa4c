"""Key-encryption keys: one file per database and generation under `HOME/kek`, never in a backup.

A new generation is a new file; when every row is wrapped under it, the older files are destroyed, and with them every
old backup, log segment and dead row that holds keys wrapped under those.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.faults import Reach, no_fault
from adapters.key_rows import GenerationGone, KeptTable, KeyName, KeyRow
from adapters.keys.cipher import KEY_BYTES, NONCE_BYTES, RANDOM, Damage, Random, unwrap, wrap
from domain.errors import DamagedStream

FIRST_GENERATION: Final = 1
ROTATION_POINTS: Final = (
    "kek.before-created",
    "kek.after-created",
    "kek.before-destroyed",
    "kek.after-destroyed",
)
_BATCH: Final = 1000


class Kek(Protocol):
    """The key-encryption keys of one database. Every method raises Unavailable where they cannot be read."""

    def newest(self) -> tuple[int, AESGCM]:
        """The generation that new keys are wrapped under, looked up anew, and its key."""
        ...

    def of(self, generation: int) -> AESGCM:
        """The key of one generation. Raises GenerationGone."""
        ...


class RotatableKek(Kek, Protocol):
    """Key-encryption keys as rotation needs them."""

    def generations(self) -> list[int]:
        """The generations there are, oldest first."""
        ...

    def create(self, generation: int) -> None:
        """Make the key of a new generation, durably; does nothing where it is there."""
        ...

    def destroy(self, generation: int) -> None:
        """Destroy the key of a generation; does nothing where it is gone."""
        ...


class KekFiles:
    """The files `<folder>/<database>-<generation>.key`: 32 random bytes in hexadecimal, readable by their owner only.

    A new file is complete before it has its name. Destroying overwrites the file, which is worth something only where
    the disk writes in place: in production the keys stand in an HSM or a key service.
    """

    def __init__(self, folder: Path, database: str, random: Random = RANDOM) -> None:
        self._folder = folder
        self._database = database
        self._random = random
        self._known: dict[int, AESGCM] = {}

    def generations(self) -> list[int]:
        try:
            names = [path.name for path in self._folder.iterdir()]
        except OSError:
            raise self._missing() from None
        head, tail = f"{self._database}-", ".key"
        numbers = [
            name[len(head) : -len(tail)] for name in names if name.startswith(head) and name.endswith(tail)
        ]
        return sorted(int(number) for number in numbers if number.isdigit())

    def newest(self) -> tuple[int, AESGCM]:
        generations = self.generations()
        if not generations:
            raise self._missing()
        return generations[-1], self.of(generations[-1])

    def of(self, generation: int) -> AESGCM:
        key = self._known.get(generation)
        if key is None:
            try:
                raw = bytes.fromhex(self._path(generation).read_text("ascii"))
            except (OSError, ValueError):
                raise self._missing() from None
            if len(raw) != KEY_BYTES:
                raise self._missing()
            key = self._known[generation] = AESGCM(raw)
        return key

    def create(self, generation: int) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = self._folder / f".{self._database}-{generation}-{self._random(8).hex()}"
        descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(self._random(KEY_BYTES).hex() + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(made, self._path(generation))  # fails if the name is taken, so of two makers one wins
        except FileExistsError:
            pass
        finally:
            made.unlink()
        self._settle()

    def destroy(self, generation: int) -> None:
        self._known.pop(generation, None)
        try:
            with self._path(generation).open("r+b") as file:
                file.write(self._random(2 * KEY_BYTES + 1))
                file.flush()
                os.fsync(file.fileno())
            self._path(generation).unlink()
        except FileNotFoundError:
            return
        self._settle()

    def _path(self, generation: int) -> Path:
        return self._folder / f"{self._database}-{generation}.key"

    def _settle(self) -> None:
        descriptor = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _missing(self) -> GenerationGone:
        return GenerationGone(
            f"A key-encryption key of the {self._database} database is missing from the folder `kek` of the home. "
            "Put it back: without it nothing can be read."
        )


def begin(kek: RotatableKek) -> None:
    """Make the first generation, if there is none yet. Safe to repeat and to run many times at once."""
    try:
        generations = kek.generations()
    except GenerationGone:
        generations = []
    if not generations:
        kek.create(FIRST_GENERATION)


def rotate(
    kek: RotatableKek,
    table: KeptTable,
    *,
    random: Random = RANDOM,
    reach: Reach = no_fault,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Wrap every key of one database under a new generation, then destroy the older ones. Returns how many rows.

    A rotation that died is completed by the next, which then begins none of its own. Keys can be made, used and
    destroyed meanwhile. progress: is told how many rows are done. Raises DamagedStream, destroying nothing, where a row
    does not open under its generation.
    """
    generations = kek.generations()
    if len(generations) == 1:
        reach("kek.before-created")
        kek.create(generations[0] + 1)
        reach("kek.after-created")
    newest, _ = kek.newest()
    done = 0
    while True:
        after: KeyName | None = None
        while rows := table.older(newest, after, _BATCH):
            done += _rewrapped(kek, table, rows, random)
            progress(done)
            after = KeyName(*rows[-1][:3])
        if table.finish(newest, lambda: _destroy_before(kek, newest, reach)):
            return done


def _rewrapped(kek: RotatableKek, table: KeptTable, rows: Sequence[KeyRow], random: Random) -> int:
    generation, key = kek.newest()
    done = 0
    for old in sorted({row.generation for row in rows}):
        fresh: list[KeyRow] = []
        for row in rows:
            if row.generation == old and row.wrapped is not None:
                name = KeyName(*row[:3])
                try:
                    raw = unwrap(kek.of(old), row.wrapped, *name, old)
                except Damage:
                    raise DamagedStream(row.subject) from None
                fresh.append(
                    row._replace(
                        generation=generation, wrapped=wrap(key, raw, *name, generation, random(NONCE_BYTES))
                    )
                )
        done += table.rewrap(old, fresh)
    return done


def _destroy_before(kek: RotatableKek, newest: int, reach: Reach) -> None:
    reach("kek.before-destroyed")
    for generation in kek.generations():
        if generation < newest:
            kek.destroy(generation)
    reach("kek.after-destroyed")
