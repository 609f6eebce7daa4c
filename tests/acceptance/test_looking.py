"""D. Looking: T46. Every look is on record before anything is shown; where it cannot be, nothing is shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from cli.bootstrap import open_app
from domain.access.events import AccessRefused, ListRead, RecordShown, RecordsSearched, TrailRead
from domain.access.model import Access
from domain.disclosure import fields_of
from tests.acceptance.line import START, Answer, Line
from tests.acceptance.people import Child, a_child, born

pytestmark = pytest.mark.postgres


def on_record(line: Line, access: str) -> Access:
    """What the access log holds of one access."""
    with open_app(line.home, line.settings) as app:
        found = app.access_log.load(UUID(access))
    assert found is not None
    return found


def account(line: Line, name: str) -> UUID:
    """The id of an account."""
    return UUID(line.done("account", "show", name)["account"])


def last_access(line: Line, name: str) -> Access:
    """The newest look of an account, as the audit trail names it."""
    entries = line.done("audit", "what-saw", name)["entries"]
    return on_record(line, entries[0]["access_id"])


def test_t46_a_search_is_recorded_with_who_why_what_was_asked_and_exactly_what_was_found(line: Line) -> None:
    one = a_child()
    child = born(line, one)

    answer = line.search(*one.criteria, "--gender", one.gender, "--postcode", one.postcode, acting="teacher")
    look = on_record(line, answer["access_id"])

    assert isinstance(look.event, RecordsSearched)
    criteria = look.event.criteria
    assert (criteria.name, criteria.date_of_birth, criteria.gender, criteria.postcode) == (
        one.name,
        one.born,
        one.gender,
        one.postcode,
    )
    assert (criteria.number, criteria.nhs_number) == (None, None)
    assert (
        [str(hit.stream) for hit in look.event.hits]
        == [hit["child_id"] for hit in answer["results"]]
        == [child]
    )
    assert set(fields_of(look.event.hits[0].mask)) == set(answer["results"][0])
    assert look.event.more is answer["more"]
    assert (look.event.role, look.event.action, look.event.outcome) == ("teacher", "search", "granted")
    assert (look.event.body, look.event.area) == ("DFE9999999", "E06000999")
    assert set(look.event.purposes) == {"casework", "safeguarding", "education-welfare", "missing-education"}
    assert look.event.rule_set == "present"
    assert START <= look.event.instant < line.clock
    metadata = look.metadata
    assert (metadata.actor, metadata.purpose) == (account(line, "teacher"), "casework")
    assert (metadata.on_behalf_of, metadata.confirmed_by) == (None, None)


def test_t46_a_search_that_finds_nothing_is_recorded_too(line: Line) -> None:
    nobody = a_child()

    look = on_record(line, line.search(*nobody.criteria)["access_id"])

    assert isinstance(look.event, RecordsSearched)
    assert look.event.criteria.name == nobody.name
    assert look.event.hits == ()


def test_t46_an_opened_record_is_recorded_with_the_version_shown(line: Line) -> None:
    child = born(line, a_child())

    answer = line.show(child, acting="social-worker")
    look = on_record(line, answer["access_id"])

    assert isinstance(look.event, RecordShown)
    assert str(look.event.child) == child
    (hit,) = look.event.hits
    assert (str(hit.stream), hit.version > 0) == (child, True)
    assert set(fields_of(hit.mask)) == set(answer["record"])
    assert (look.metadata.actor, look.metadata.purpose) == (account(line, "social-worker"), "casework")


def test_t46_a_record_that_is_not_there_leaves_an_entry_as_well(line: Line) -> None:
    unknown = "5d0cf4a1-58f3-4d35-bb0a-0a3c7d6f8a11"

    line.unseen(unknown, acting="teacher")
    look = last_access(line, "teacher")

    assert isinstance(look.event, RecordShown)
    assert (str(look.event.child), look.event.hits) == (unknown, ())


@pytest.mark.parametrize("reason", ["curiosity", "audit", "operation"])
def test_t46_a_look_without_a_reason_of_ones_own_is_refused_and_the_refusal_recorded(
    line: Line, reason: str
) -> None:
    one = a_child()
    child = born(line, one)

    answer = line("show", child, "--reason", reason, acting="teacher")
    look = last_access(line, "teacher")

    assert (answer.status, answer.code in ("reason-unknown", "reason-not-yours")) == (1, True)
    assert one.family not in answer.printed
    assert isinstance(look.event, AccessRefused)
    assert (look.event.outcome, look.event.rule, str(look.event.subject)) == ("refused", answer.code, child)


@pytest.mark.parametrize("acting", ["operator", "auditor"])
def test_t46_a_role_that_may_not_look_is_refused_and_the_refusal_recorded(line: Line, acting: str) -> None:
    one = a_child()
    born(line, one)

    line.refused("right-not-held", "search", "--reason", "casework", *one.criteria, acting=acting)
    look = last_access(line, acting)

    assert isinstance(look.event, AccessRefused)
    assert look.event.criteria is not None
    assert look.event.criteria.name == one.name


def test_t46_reading_the_trail_and_the_schedule_is_itself_on_record(line: Line) -> None:
    child = born(line, a_child())

    for words, action in (
        (("audit", "who-saw", child), "who-saw"),
        (("audit", "changes", child), "changes"),
        (("audit", "what-saw", "teacher"), "what-saw"),
    ):
        look = on_record(line, line.done(*words)["access_id"])
        assert isinstance(look.event, TrailRead)
        assert look.event.action == action
        assert look.metadata.actor == account(line, "auditor")
    line.done("retention", "due")
    due = last_access(line, "operator").event
    assert isinstance(due, ListRead)
    assert due.action == "due"


# Where the access log cannot be written


@dataclass(frozen=True)
class Fault:
    """How an access log is made unwritable at one step of writing to it, and how that is undone."""

    name: str
    done: str
    undone: str


def raising(when: str, table: str, what: str) -> tuple[str, str]:
    """A trigger that does something on a table of the access log."""
    make = (
        f"CREATE FUNCTION public.fault() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$ BEGIN {what}; "
        f"RETURN NULL; END $$; CREATE {when} ON access_log.{table} "
    )
    deferred = "DEFERRABLE INITIALLY DEFERRED " if "CONSTRAINT" in when else ""
    each = "FOR EACH ROW " if "CONSTRAINT" in when else "FOR EACH STATEMENT "
    return f"{make}{deferred}{each}EXECUTE FUNCTION public.fault()", "DROP FUNCTION public.fault() CASCADE"


def renamed(table: str) -> tuple[str, str]:
    """A table of the access log goes by another name."""
    return f"ALTER TABLE access_log.{table} RENAME TO gone", f"ALTER TABLE access_log.gone RENAME TO {table}"


SERVICE = "contactpoint_service"
DISK_FULL = "RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full'"
KILLED = "PERFORM pg_terminate_backend(pg_backend_pid())"
APPENDING = ("access_log.append", "access_log.append_one")
GRANTED = f"EXECUTE ON FUNCTION {', '.join(APPENDING)}"
FAULTS = (
    Fault("the right to append is taken away", f"REVOKE {GRANTED} FROM {SERVICE}", f"GRANT {GRANTED} TO {SERVICE}"),
    Fault("its table is away", *renamed("event")),
    Fault("its head is away", *renamed("head")),
    Fault("the disk is full at the head", *raising("TRIGGER fault BEFORE UPDATE", "head", DISK_FULL)),
    Fault("the disk is full at the event", *raising("TRIGGER fault BEFORE INSERT", "event", DISK_FULL)),
    Fault("the disk is full at the commit", *raising("CONSTRAINT TRIGGER fault AFTER UPDATE", "head", DISK_FULL)),
    Fault("the connection breaks at the head", *raising("TRIGGER fault BEFORE UPDATE", "head", KILLED)),
    Fault("the connection breaks at the event", *raising("TRIGGER fault BEFORE INSERT", "event", KILLED)),
    Fault("the connection breaks at the commit", *raising("CONSTRAINT TRIGGER fault AFTER UPDATE", "head", KILLED)),
)  # fmt: skip


@contextmanager
def unwritable(line: Line, fault: Fault) -> Iterator[None]:
    """The access log, for as long as the block lasts."""
    with line.as_superuser() as connection:
        connection.execute(fault.done.encode())
        try:
            yield
        finally:
            connection.execute(fault.undone.encode())


@contextmanager
def held_head(line: Line, setting: str) -> Iterator[None]:
    """Somebody holds the head row, and an append waits a moment for it and no longer."""
    with line.as_superuser() as other, line.as_superuser() as admin:
        service = f"ROLE contactpoint_service IN DATABASE {other.info.dbname}"
        sooner, again = f"ALTER {service} SET {setting} = '150ms'", f"ALTER {service} RESET {setting}"
        if setting == "lock_timeout":  # the functions have their own
            sooner, again = (
                "; ".join(f"ALTER FUNCTION {each} SET lock_timeout = '{wait}'" for each in APPENDING)
                for wait in ("150ms", "30s")
            )
        admin.execute(sooner.encode())
        try:
            with other.transaction():
                other.execute("SELECT FROM access_log.head FOR UPDATE")
                yield
        finally:
            admin.execute(again.encode())


def assert_nothing_is_shown(line: Line, one: Child, child: str, access: str) -> None:
    """Every way of looking, and a change that would be refused, ends with status 3 and prints the error alone."""
    for answer in (
        line("search", "--reason", "casework", *one.criteria, acting="practitioner"),
        line("show", child, "--reason", "casework", acting="teacher"),
        line("show", child, "--reason", "curiosity", acting="teacher"),
        line("audit", "who-saw", child),
        line("audit", "replay", access),
        line("retention", "due", "--on", "2040-01-01"),
        line("queue", "list", acting="data-manager"),
        line("queue", "show", child, acting="data-manager"),
        line("queue", "decide", child, "--new", "--reason", "documents-seen", acting="data-manager"),
        line("record", "lift-shield", child, acting="teacher", second="data-manager"),
    ):
        assert_only_an_error(answer, one, child)


def assert_only_an_error(answer: Answer, one: Child, child: str) -> None:
    assert (answer.status, set(answer.json), set(answer["error"])) == (3, {"error"}, {"code", "message"}), (
        answer.json
    )
    assert answer.code in ("audit-unavailable", "unavailable")
    assert len(answer.printed.splitlines()) == 1, "nothing beside the error, on stdout or stderr"
    for told in (one.given, one.family, one.postcode, one.born.isoformat(), child):
        assert told not in answer.printed


@pytest.fixture(scope="module")
def known(line: Line) -> tuple[Child, str, str]:
    """A child, its id, and an access that showed it."""
    one = a_child()
    child = born(line, one)
    return one, child, line.show(child)["access_id"]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault.name.replace(" ", "-") for fault in FAULTS])
def test_t46_where_the_access_log_cannot_be_written_nothing_is_shown(
    line: Line, known: tuple[Child, str, str], fault: Fault
) -> None:
    before = line.heads()

    with unwritable(line, fault):
        assert_nothing_is_shown(line, *known)

    assert line.heads() == before
    assert line.show(known[1])["record"]["number"], "and once it can be written again, it is shown"


@pytest.mark.parametrize("setting", ["lock_timeout", "statement_timeout"])
def test_t46_where_the_access_log_is_not_reached_in_time_nothing_is_shown(
    line: Line, known: tuple[Child, str, str], setting: str
) -> None:
    before = line.heads()

    with held_head(line, setting):
        assert_nothing_is_shown(line, *known)

    assert line.heads() == before


def test_t46_where_no_server_answers_nothing_is_shown(line: Line, known: tuple[Child, str, str]) -> None:
    one, child, access = known
    gone = Line(line.home, line.clock, line.databases)
    assert line.databases is not None
    away = replace(line.databases.record, url=line.databases.record.url.replace("host='", "host='/nowhere"))
    gone.databases = replace(line.databases, record=away)

    assert_nothing_is_shown(gone, one, child, access)
