"""Two worlds that differ in nothing but what is hidden, and everything that somebody who may not see it can learn.

Both are copies of one home, so that children, keys and the hour are the same in both. Whatever is random in an answer
(ids of accesses, receipts) is named by its kind; all else must be the same to the byte, the order and the microsecond.
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from adapters.kafka.messages import headers_of
from adapters.memory.publications import MemorySubscribers
from adapters.postgres.databases import Databases, Role
from adapters.postgres.log_reader import PostgresLogReader
from adapters.postgres.publications import PostgresPublications
from adapters.publisher import Publisher
from cli.bootstrap import open_stores
from tests.acceptance.line import Line
from tests.acceptance.people import Child, a_child, born, id_of
from tests.builders import the_book
from tests.loading import a_births_file, ndjson, restricted

OURS: Final = "E06000999"
TWO: Final[Mapping[str, Any]] = {"acting": "data-manager", "second": "data-manager-2"}
NOBODY: Final = "00000000-0000-4000-8000-000000000000"

PLACES: Final = (("7 Harbour Row", "WF91 1AB"), ("31 Colliery Terrace", "WF92 3DE"))
"""Where the shielded child lives: in one world, in the other."""
SERVICES: Final = ("Harbour family centre", "Colliery welfare")
ORGANISATIONS: Final = ("Harbour Trust", "Colliery Council")
SCHOOLS: Final = ("Harbour Primary School", "Colliery Academy")
PRACTICES: Final = ("Harbour Surgery", "Colliery Medical Centre")
CARERS: Final = ("Ottoline Marsh", "Petra Winterbourne")
CLINICS: Final = ("Harbour adolescent clinic", "Colliery recovery service")
AUTHORITIES: Final = ("E06000001", "E06000002")


class Ask(NamedTuple):
    """Something that is typed by somebody from whom it is hidden."""

    name: str
    words: tuple[str, ...]
    acting: str


class Seen(NamedTuple):
    """What somebody sees: where, and what."""

    where: str
    what: str


@dataclass(frozen=True)
class Cast:
    """The children of both worlds, and what they are called by those who look for them.

    hidden was shielded when the index knew her; first was shielded by the message that first told of him; noticed has a
    sensitive service; plain shares a family name with hidden, and nothing is hidden of her. former: two identities
    whose records are sealed, with a letter for each; of which of them renamed is the new identity is hidden.
    """

    hidden: Child
    first: Child
    noticed: Child
    plain: Child
    former: tuple[Child, Child]
    renamed: Child
    letters: tuple[str, str]
    ids: dict[str, str] = field(default_factory=dict)

    def id(self, name: str) -> str:
        """The id of one of them."""
        return self.ids[name]


def a_cast(line: Line) -> Cast:
    """The children, in a home from which the worlds are copied."""
    hidden, first, noticed = a_child(), a_child(), a_child()
    plain = replace(a_child(), family=hidden.family)
    former, renamed = (a_child(), a_child()), a_child()
    letters = (
        str(line.home.parent / f"letter-{former[0].serial}"),
        str(line.home.parent / f"letter-{former[1].serial}"),
    )
    cast = Cast(hidden, first, noticed, plain, former, renamed, letters)
    for place, (one, letter) in enumerate(zip(former, letters, strict=True)):
        cast.ids[f"former {place}"] = born(line, one, authority=OURS)
        line.done("record", "seal", cast.id(f"former {place}"), "--letter", letter, **TWO)
    line.clock += timedelta(days=2)
    for name, one in (("hidden", hidden), ("noticed", noticed), ("plain", plain)):
        cast.ids[name] = born(line, one)
    told = first.message()
    kept = {element: told[element] for element in ("id", "identifier", "name", "gender", "birthDate")}
    line.pds(restricted(first.nhs, **kept))
    cast.ids["first"] = id_of(line, first)
    line.pds(hidden.message())
    line.record("shield", cast.id("hidden"), "--ground", "adult-at-risk", acting="social-worker")
    line.record("involve", cast.id("noticed"), "--service", "Kooth", "--kind", "sensitive")
    return cast


class World:
    """One of the two. `number`: which of each pair of hidden facts is true in it."""

    def __init__(self, line: Line, cast: Cast, number: int) -> None:
        self.line = line
        self.cast = cast
        self.number = number
        self.subscribers = MemorySubscribers()
        self.held: dict[str, str] = {}

    def of(self, pair: Sequence[str]) -> str:
        """What is true of a pair in this world."""
        return pair[self.number]

    def pass_over(self) -> None:
        """Let the time pass that a command takes."""
        self.line.clock += timedelta(microseconds=1)

    # What is hidden

    def moves(self, turn: int) -> None:
        """The NHS tells where the shielded children live."""
        street, postcode = PLACES[self.number]
        messages: list[dict[str, Any]] = []
        for one in (self.cast.hidden, self.cast.first):
            since = (one.born + timedelta(days=400 + turn)).isoformat()
            message = one.message(address=[one.address(f"{turn} {street}", postcode, since)])
            messages.append({**message, "meta": {"versionId": str(10 + turn), "security": [{"code": "U"}]}})
        self.line.load("pds", ndjson(*messages))

    def asserted(self, turn: int) -> None:
        """A practitioner who knows says where she lives, where she goes to school, and who cares for her."""
        street, postcode = PLACES[self.number]
        self.line.record(
            "assert", self.cast.id("hidden"), "--line", f"{turn} {street}", "--postcode", postcode,
            "--school", self.of(SCHOOLS), "--practice", self.of(PRACTICES), "--carer", self.of(CARERS),
        )  # fmt: skip

    def involved(self, turn: int) -> None:
        """A service takes her on."""
        self.line.record(
            "involve", self.cast.id("hidden"), "--service", f"{self.of(SERVICES)} {turn}", "--kind", "universal",
            "--organisation", self.of(ORGANISATIONS),
        )  # fmt: skip

    def ended(self, turn: int) -> None:
        """A service, if it is there, is no longer involved with her."""
        self.line.record(
            "end-involvement", self.cast.id("hidden"), "--service", f"{self.of(SERVICES)} {turn}"
        )

    def consented(self, turn: int) -> None:
        """A second sensitive service, beside the one whose notice is shown."""
        self.line.record(
            "involve",
            self.cast.id("noticed"),
            "--service",
            f"{self.of(CLINICS)} {turn}",
            "--kind",
            "sensitive",
        )

    def withdrew(self, turn: int) -> None:
        """Consent to a second sensitive service, if it is there, is withdrawn."""
        self.line.record(
            "withdraw-consent", self.cast.id("noticed"), "--service", f"{self.of(CLINICS)} {turn}"
        )

    def assigned(self, _turn: int) -> None:
        """An authority is responsible for her."""
        self.line.record(
            "assign-authority",
            self.cast.id("hidden"),
            "--authority",
            self.of(AUTHORITIES),
            acting="data-manager",
        )

    def allocated(self, _turn: int) -> None:
        """She is allocated to an authority, whichever was responsible."""
        self.line.record(
            "allocate", self.cast.id("hidden"), "--authority", self.of(AUTHORITIES[::-1]), acting="operator"
        )

    # What is not

    def born_again(self, _turn: int) -> None:
        """The register of births sends again what it sent."""
        cast = self.cast
        self.line.births(*(one.entry for one in (cast.hidden, cast.noticed, cast.plain)))

    def neighbour(self, turn: int) -> None:
        """Another child, of another name, is registered where the hidden one lives in the first world."""
        street, postcode = PLACES[0]
        self.line.record(
            "register", "--given", "Zebedee", "--family", NEIGHBOURS[turn % len(NEIGHBOURS)], "--dob",
            (date(2012, 2, 3) + timedelta(days=11 * turn)).isoformat(), "--line", f"{turn} {street}",
            "--postcode", postcode,
        )  # fmt: skip

    def adopted(self, _turn: int) -> None:
        """A child has a new identity, if it has none yet; which was the old one, is hidden."""
        if not self.line.found(*self.cast.renamed.criteria):
            self.line.done(
                "record", "new-identity", self.of(self.cast.letters), *self.cast.renamed.options, **TWO
            )

    def fed(self, _turn: int) -> None:
        """Sources still send both old identities, one of them at where the new one lives."""
        one, other = self.cast.former
        there = {"address_line_1": self.cast.renamed.street, "postcode": self.cast.renamed.postcode}
        self.line.births(one.entry, {**other.entry, **there})

    def rebuilt(self, _turn: int) -> None:
        """The view that readers search is built anew."""
        self.line.done("projection", "rebuild", "practitioner_view", "--switch")

    # What is seen of it

    def ask(self, ask: Ask) -> Seen:
        """Type it, and take down everything that comes back: status, output, the last byte of stderr."""
        answer = self.line(*ask.words, acting=ask.acting)
        return Seen(ask.name, f"{answer.status} {self.plain(answer.printed)}")

    def plain(self, text: str) -> str:
        """Without what is random: an id that is no child's of the cast, a digest, a cursor."""
        text = _UUID.sub(lambda found: self._called(found.group()), text)
        text = _NUMBER.sub(r"\g<1><number>", text.replace(str(self.line.home), "<home>"))
        return _TAKEN.sub(r"\g<1>0", _DIGEST.sub("<digest>", text))

    def _called(self, found: str) -> str:
        return next((name for name, child in self.cast.ids.items() if child == found), "<id>")

    def published(self) -> Seen:
        """All that subscribers were ever sent: what, of whom, when, in which partition, how large."""
        line = self.line
        with open_stores(line.home, line.settings) as (stores, _), ExitStack() as closing:
            reader = PostgresLogReader(stores.databases.record, Role.PUBLISHER)
            publications = PostgresPublications(stores.databases.record)
            closing.callback(reader.close)
            closing.callback(publications.close)
            Publisher(
                log=reader,
                open=stores.store(Role.PUBLISHER).load_many,
                publications=publications,
                subscribers=self.subscribers,
                rules=the_book(),
                clock=stores.clock,
            ).run(until_caught_up=True)
        sent = [
            [
                one.kind,
                self._called(str(one.child_id)),
                one.partition if str(one.child_id) in self.cast.ids.values() else "-",
                one.at.isoformat(),
                sum(len(name) + len(value) for name, value in headers_of(one)),
            ]
            for one in self.subscribers.arrived
        ]
        return Seen("subscribers", json.dumps(sent))

    def logs(self) -> Iterator[Seen]:
        """Every clear column of every row of both logs, as whoever has the disc sees them."""
        for log in ("record_log", "access_log"):
            with self.line.as_superuser() as connection:
                rows = connection.execute(
                    "SELECT position, recorded_at, stream_id::text, version, format, period, octet_length(identity), "
                    f"octet_length(content), octet_length(metadata) FROM {log}.event ORDER BY position"
                ).fetchall()
            names: dict[str, str] = {}
            for row in rows:
                stream = names.setdefault(row[2], f"stream {len(names)}")
                yield Seen(f"{log} {row[0]}", f"{row[1]} {stream} {row[3:]}")

    def views(self, *left_out: str) -> Iterator[Seen]:
        """Every row of the views that readers search, and of what falls due."""
        rows = self.line.view_rows("build", "position", *left_out)
        for table, found in rows.items():
            name = re.sub(r"_\d+\.", ".", table)
            if name.startswith(("practitioner_view", "match_index", "retention_schedule")):
                for row in sorted(map(self.plain, found)):
                    yield Seen(name, row)

    def files(self) -> Iterator[Seen]:
        """Names and sizes of every file that was written beside the databases.

        But those of the seals: how far they are is a matter of the moment, and what they are of is in `logs`.
        """
        for path in sorted(self.line.home.rglob("*")):
            if path.is_file() and "seals" not in path.parts:
                yield Seen(str(path.relative_to(self.line.home)), str(path.stat().st_size))


NEIGHBOURS: Final = ("Ashplant", "Brimblecombe", "Cuthbertson", "Dowsland", "Entwhistle", "Fothergill")
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NUMBER: Final = re.compile(r'("(?:index_)?number": ")[0-9A-Z*~$=]{11}(?=")')
_TAKEN: Final = re.compile(r'("(?:lag_)?seconds": )[0-9.]+')
_DIGEST: Final = re.compile(r"\b(?:[0-9a-f]{64}|[A-Za-z0-9_-]{43}=?)\b")


def asked(cast: Cast, files: Path, *, guessed: int) -> list[Ask]:
    """What those from whom it is hidden ask: every door, with every criterion, also with what is true in one world."""
    look = ("--reason", "casework")
    found: list[Ask] = []
    for name, child in cast.ids.items():
        found.append(Ask(f"opens {name}", ("show", child, *look), "practitioner"))
    found += [
        Ask(f"{who} opens hidden", ("show", cast.id("hidden"), *look), who)
        for who in ("teacher", "social-worker")
    ]
    one = cast.hidden
    searches: dict[str, tuple[str, ...]] = {
        "name and day": one.criteria,
        "family name": ("--name", one.family),
        "name": ("--name", one.name),
        "gender": (*one.criteria, "--gender", one.gender),
        "NHS number": ("--nhs-number", one.nhs),
        "name and NHS number": (*one.criteria, "--nhs-number", one.nhs),
        "another's name": cast.first.criteria,
        "name and the postcode she was born at": (*one.criteria, "--postcode", one.postcode),
        "who has a notice": cast.noticed.criteria,
    }
    for place, (_, postcode) in enumerate(PLACES):
        searches[f"name and postcode {place}"] = (*one.criteria, "--postcode", postcode)
        searches[f"day and postcode {place}"] = ("--dob", one.born.isoformat(), "--postcode", postcode)
        searches[f"carer {place}"] = ("--name", CARERS[place])
        searches[f"the first's name and postcode {place}"] = (*cast.first.criteria, "--postcode", postcode)
    searches["the new identity"] = cast.renamed.criteria
    for place, former in enumerate(cast.former):
        searches[f"old identity {place}"] = former.criteria
        searches[f"old identity's number {place}"] = ("--nhs-number", former.nhs)
        searches[f"new name and the number of old identity {place}"] = (
            *cast.renamed.criteria, "--nhs-number", former.nhs,
        )  # fmt: skip
    found += [
        Ask(f"search by {name}", ("search", *look, *words), "practitioner")
        for name, words in searches.items()
    ]
    hidden = cast.id("hidden")
    births = files / "births-again"
    births.write_bytes(a_births_file(one.entry, cast.plain.entry))
    found += [
        Ask(
            "registers a neighbour",
            (
                "record",
                "register",
                "--given",
                "Zebedee",
                "--family",
                "Fothergill",
                "--dob",
                "2012-02-03",
                "--line",
                f"1 {PLACES[0][0]}",
                "--postcode",
                PLACES[0][1],
            ),
            "practitioner",
        ),
        Ask("finds the neighbour", ("search", *look, "--name", "Zebedee Fothergill"), "practitioner"),
        Ask("opens nobody", ("show", NOBODY, *look), "practitioner"),
        Ask("override without the right", ("show", hidden, *look, "--override"), "practitioner"),
        Ask("as it was", ("show", hidden, *look, "--as-of", "2027-03-10T10:00:00Z"), "practitioner"),
        Ask("as of a day", ("show", hidden, *look, "--effective-on", "2020-01-01"), "practitioner"),
        Ask(
            "ends a service",
            ("record", "end-involvement", hidden, "--service", f"{SERVICES[0]} {guessed}"),
            "practitioner",
        ),
        Ask(
            "withdraws consent",
            ("record", "withdraw-consent", cast.id("noticed"), "--service", f"{CLINICS[0]} 99"),
            "practitioner",
        ),
        Ask(
            "consents too young",
            ("record", "consent-to-extension", hidden, "--category", "gifted"),
            "practitioner",
        ),
        Ask("not due", ("record", "archive", hidden, "--ground", "age-18"), "data-manager"),
        Ask("too many words", ("show", hidden, "x"), "practitioner"),
        Ask("who saw", ("audit", "who-saw", hidden), "auditor"),
        Ask("who saw the notice", ("audit", "who-saw", cast.id("noticed")), "auditor"),
        Ask("changes", ("audit", "changes", hidden), "auditor"),
        Ask("changes of the first", ("audit", "changes", cast.id("first")), "auditor"),
        Ask("what the practitioner saw", ("audit", "what-saw", "practitioner"), "auditor"),
        Ask("refusals", ("audit", "refusals"), "auditor"),
        *(
            Ask(f"{about} old identity {place}", ("audit", about, cast.id(f"former {place}")), "auditor")
            for about in ("changes", "who-saw")
            for place in (0, 1)
        ),
        Ask("queue", ("queue", "list"), "data-manager"),
        Ask("export alone", ("audit", "export", hidden, str(files / "evidence")), "auditor"),
        Ask("due", ("retention", "due", "--on", "2040-01-01"), "operator"),
        Ask("stream", ("stream", "status"), "operator"),
        Ask("projections", ("projection", "status"), "operator"),
        Ask("compare", ("projection", "compare", "practitioner_view"), "operator"),
        Ask("dry run", ("load", "births", str(births), "--dry-run"), "operator"),
        Ask("accounts", ("account", "list"), "account-manager"),
        Ask("investigations", ("investigation", "list"), "auditor"),
    ]
    return found


@dataclass
class Worlds:
    """Both, and what is done in them. alike: as much is hidden in one as in the other, event by event.

    Where it is not, what shows how many events there are is left to whoever may see that: auditors, and the disc.
    """

    one: World
    other: World
    files: Path
    alike: bool = True

    @property
    def pair(self) -> tuple[World, World]:
        """Both."""
        return self.one, self.other

    def hide(self, what: str, turn: int) -> None:
        """Something that is hidden happens: another thing in each world, or in one alone."""
        getattr(self.one, what)(turn)
        if self.alike:
            getattr(self.other, what)(turn)
        else:
            self.other.pass_over()

    def happen(self, what: str, turn: int) -> None:
        """The same happens in both."""
        for world in self.pair:
            getattr(world, what)(turn)

    def asks(self) -> list[Ask]:
        """What is asked in both."""
        counting = {"changes", "changes of the first", "compare", "projections", "stream"}
        return [
            one
            for one in asked(self.one.cast, self.files, guessed=99 if self.alike else 2)
            if self.alike or one.name not in counting
        ]

    def seen(self, world: World, asks: Sequence[Ask]) -> list[Seen]:
        """All that is seen in a world by asking this, and beside it."""
        found = [world.ask(one) for one in asks]
        found.append(world.published())
        found += world.views(*(() if self.alike else ("version",)))
        found += world.files()
        return [*found, *world.logs()] if self.alike else found

    def differences(self, asks: Sequence[Ask] | None = None) -> list[str]:
        """Where the worlds can be told apart, and how; empty where they cannot."""
        asks = self.asks() if asks is None else asks
        return told_apart(*(self.seen(world, asks) for world in self.pair))


def told_apart(one: Sequence[Seen], other: Sequence[Seen]) -> list[str]:
    """Where what is seen in one world is not what is seen in the other, and around what."""
    found: list[str] = []
    for here, there in zip(one, other, strict=False):
        if here != there:
            at = _same(here.what, there.what)
            around = slice(max(at - 60, 0), at + 60)
            found.append(f"{here.where} / {there.where}: …{here.what[around]}… / …{there.what[around]}…")
    return found if len(one) == len(other) else [*found, f"{len(one)} things seen / {len(other)}"]


def _same(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginnings."""
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def copied(line: Line, cast: Cast, databases: Callable[[Databases], Databases], folder: Path) -> Worlds:
    """Two worlds that are nothing but copies of one home yet."""
    made: list[World] = []
    for number in range(2):
        assert line.databases is not None
        home = folder / str(number) / "home"
        shutil.copytree(line.home, home)
        made.append(World(Line(home, line.clock, databases(line.databases)), cast, number))
    return Worlds(made[0], made[1], folder)


HIDDEN: Final = ("moves", "asserted", "involved", "ended", "consented", "withdrew", "assigned", "allocated")
SHOWN: Final = ("born_again", "neighbour", "adopted", "fed", "rebuilt")
