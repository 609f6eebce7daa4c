"""`demo`: the whole story on invented people, typed as commands in a home of its own.

Everything in it is real: the database, the keys, the logs, the commands. Each step checks what it tells.
"""

import csv
import io
import json
import shlex
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import click
import typer

from cli.looking import words_of_record
from cli.output import Json, Output
from cli.session import session
from cli.settings import Settings
from cli.status import ended
from domain.errors import BadInput
from domain.identifiers import nhs_number, unique_pupil_number
from domain.policy.retention import anniversary, begin_of, london_day

MARK = "demonstration"
AUTHORITY = "E06000999"
BIRTHS_COLUMNS = (
    "entry_id",
    "registered_on",
    "given_names",
    "surname",
    "date_of_birth",
    "sex",
    "nhs_number",
    "birth_order",
    "mother_given_names",
    "mother_surname",
    "address_line_1",
    "postcode",
    "authority",
)


def add_to(app: typer.Typer) -> None:
    """Add this command to the command line."""
    app.command()(demo)


def demo(
    context: typer.Context,
    keep: Annotated[bool, typer.Option(help="Keep the home afterwards, to try commands in.")] = True,
) -> None:
    """Show the whole story on invented people, in a minute or two."""
    from cli.bootstrap import system_clock

    run = session(context)
    home = run.home if run.home_folder else Path(".contactpoint-demo").absolute()
    _fresh(home)
    story = Story(context.find_root().command, home, run.output, system_clock(), kafka=run.settings.kafka)
    started = time.monotonic()
    try:
        for chapter in CHAPTERS:
            chapter(story)
            if not story.well:
                break
    finally:
        if not keep:
            story.type("stop")
            shutil.rmtree(home, ignore_errors=True)
    answer = {
        "steps": story.steps,
        "ok": story.well,
        "seconds": round(time.monotonic() - started, 1),
        "home": str(home),
    }
    run.output.answer(answer, lambda a: _ending(a, home))
    if not story.well:
        raise typer.Exit(1)


@dataclass
class Story:
    """Types commands, tells what they did, and keeps whether each step came out as told."""

    command: click.Command
    home: Path
    output: Output
    clock: datetime
    steps: list[Json] = field(default_factory=list)
    well: bool = True
    kept: dict[str, Any] = field(default_factory=dict)
    kafka: str | None = None

    def type(self, *words: str, who: str | None = None, second: str | None = None) -> tuple[int, Json]:
        """Type a command and give its status and answer, the last where it streams."""
        status, answers = self.stream(*words, who=who, second=second)
        return status, answers[-1] if answers else {}

    def stream(
        self, *words: str, who: str | None = None, second: str | None = None
    ) -> tuple[int, list[Json]]:
        """Type a command and give its status and everything it printed."""
        options = [*(["--as", who] if who else []), *(["--with", second] if second else [])]
        self.say(f"  $ contactpoint {' '.join(shlex.quote(word) for word in [*options, *words])}")
        out = io.StringIO()
        with redirect_stdout(out):
            status = ended(
                self.command,
                ["--json", "--home", str(self.home), *options, *words],
                Settings(home=self.home, clock=self.clock, kafka=self.kafka),
            )
        return status, [json.loads(line) for line in out.getvalue().splitlines()]

    def chapter(self, title: str, why: str) -> None:
        """Begin a chapter."""
        self.say(f"\n{title}\n{why}")

    def say(self, words: str) -> None:
        """Tell, unless the answer is to be JSON alone."""
        if not self.output.as_json:
            self.output.out.print(words, markup=False)

    def step(self, name: str, ok: object, detail: str) -> None:
        """One thing that had to be so."""
        self.steps.append({"name": name, "ok": bool(ok), "detail": detail})
        self.well = self.well and bool(ok)
        self.say(f"  {'✓' if ok else '✗'} {detail}")

    def find(self, who: str, *criteria: str) -> list[Json]:
        """The results of a search."""
        status, answer = self.type("search", "--reason", "casework", *criteria, who=who)
        return list(answer.get("results", ())) if status == 0 else []

    def show(self, who: str, child: str) -> tuple[str, Json]:
        """A record as an account sees it, and the id of the access."""
        status, answer = self.type("show", child, "--reason", "casework", who=who)
        return (answer["access_id"], answer["record"]) if status == 0 else ("", {})

    @property
    def today(self) -> date:
        """The day it is in the story."""
        return london_day(self.clock)


def sources(story: Story) -> None:
    """Two sources come in, twice."""
    story.chapter(
        "1. Two national sources come in",
        "Births come as a register, the NHS's demographics as its own messages. One child of them is restricted there.",
    )
    status, _ = story.type("init", "--training")
    story.step(
        "init", status == 0, "A home for invented people, with a real PostgreSQL, keys and made-up accounts."
    )
    births, pds = _write_births(story), _write_pds(story)
    _, answer = story.type("load", "births", str(births))
    story.step("births", answer.get("registered") == 5, f"{answer.get('registered')} births became records.")
    _, answer = story.type("load", "pds", str(pds))
    story.step(
        "pds",
        (answer.get("registered"), answer.get("refused")) == (1, 1) and answer.get("read") == 7,
        f"Of {answer.get('read')} NHS messages {answer.get('updated')} met a child that was there, "
        f"{answer.get('registered')} was new and restricted, {answer.get('refused')} was of an adult and refused.",
    )
    _, again = story.type("load", "pds", str(pds))
    story.step("again", again.get("events") == 0, f"The same messages again: {again.get('events')} events.")


def more_sources(story: Story) -> None:
    """Three more sources, and a doubt that a human settles."""
    story.chapter(
        "2. Three more sources, and a doubt",
        "What they say is joined to the records that are there. What could be about another child waits for a human.",
    )
    _, answer = story.type("load", "child-benefit", str(_write_claims(story)))
    story.step(
        "child benefit",
        (answer.get("updated"), answer.get("queued")) == (1, 1),
        "One claim gives a child's new address; one bears a child's number with another date of birth, and waits.",
    )
    _, answer = story.type("load", "school-census", str(_write_census(story)))
    story.step("school census", answer.get("updated") == 1, "A school says whom it teaches.")
    _, answer = story.type("load", "case-management", str(_write_cases(story)))
    story.step("case management", answer.get("updated") == 1, "A case system says which service is involved.")
    status, waiting = story.type("queue", "list", who="data-manager")
    held = (waiting.get("held") or [{}])[0].get("held_id", "")
    story.step("queue", status == 0 and held, "The management team sees what waits, and why.")
    found = story.find("data-manager", "--name", "Zofia Kowalska", "--dob", _almost_adult(story).isoformat())
    child = found[0]["child_id"] if found else ""
    status, _ = story.type("queue", "show", held, who="data-manager")
    decided, _ = story.type(
        "queue", "decide", held, "--same", child, "--reason", "documents-seen", who="data-manager"
    )
    _, left = story.type("queue", "list", who="data-manager")
    story.step(
        "decision",
        (status, decided, left.get("held")) == (0, 0, []),
        "It is decided once, with a reason, and the claim is that child's.",
    )


def looking(story: Story) -> None:
    """A practitioner finds the right child."""
    story.chapter(
        "3. A health visitor looks for a child",
        "Accents, case, hyphens and the order of names do not matter. A reason does: without one nothing is shown.",
    )
    found = story.find("practitioner", "--name", "okafor bell amara", "--dob", _born(story, 3).isoformat())
    story.step("search", len(found) == 1, f"One child found: number {found[0]['number'] if found else '-'}.")
    story.kept["amara"] = found[0]["child_id"] if found else ""
    _, record = story.show("practitioner", story.kept["amara"])
    story.say(_indented(record))
    story.step(
        "show", record.get("address"), "She sees who the child is and where, and that nobody is involved yet."
    )
    twins = story.find("practitioner", "--name", "Whitlock", "--dob", _born(story, 6).isoformat())
    story.step(
        "twins", len(twins) == 2, f"Twins born on one day at one address are {len(twins)} records, not one."
    )


def services(story: Story) -> None:
    """Services become involved, one of them sensitive."""
    child = story.kept["amara"]
    story.chapter(
        "4. Services become involved",
        "A sensitive one is recorded only with a consent or a cause, and shown only as one general sentence.",
    )
    story.type(
        "record", "involve", child, "--service", "Health visiting", "--kind", "universal", who="practitioner"
    )
    story.type(
        "record",
        "involve",
        child,
        "--service",
        "Family support",
        "--kind",
        "additional",
        "--lead",
        who="social-worker",
    )
    status, refused = story.type(
        "record",
        "involve",
        child,
        "--service",
        "Harbour team",
        "--kind",
        "sensitive",
        "--consent",
        "none",
        who="practitioner",
    )
    story.step(
        "gate",
        status == 1,
        f"Without consent or cause it is refused: {refused.get('error', {}).get('code')}.",
    )
    sensitive = ("record", "involve", child, "--service", "Harbour team", "--kind", "sensitive")
    story.type(*sensitive, "--consent", "parent", who="practitioner")
    access, record = story.show("teacher", child)
    story.kept["access"], story.kept["seen"] = access, record
    story.say(_indented(record))
    told = json.dumps(record)
    story.step(
        "notice",
        len(record.get("involvements", ())) == 2 and record.get("notice") and "Harbour" not in told,
        "The teacher sees two services and one general sentence; the sensitive one has no name, no count, no date.",
    )


def consent(story: Story) -> None:
    """Consent is withdrawn."""
    child = story.kept["amara"]
    story.chapter("5. Consent is withdrawn", "At the next request, everywhere, it is gone.")
    story.type("record", "withdraw-consent", child, "--service", "Harbour team", who="practitioner")
    _, record = story.show("teacher", child)
    story.step(
        "withdrawn",
        record and not record.get("notice"),
        "The sentence is gone; the two other services stand.",
    )


def shield(story: Story) -> None:
    """A shield goes up, and no feed takes it down."""
    story.chapter(
        "6. A child must not be found",
        "A social worker raises a shield. Then a feed refreshes the record, which is what stopped the original.",
    )
    born = _born(story, 9)
    found = story.find("social-worker", "--name", "Niamh O'Sullivan", "--dob", born.isoformat())
    child = story.kept["niamh"] = found[0]["child_id"] if found else ""
    status, _ = story.type("record", "shield", child, "--ground", "adult-at-risk", who="social-worker")
    story.step("shield", status == 0, "The shield is up before the command answers.")
    _, answer = story.type("load", "pds", str(_write_refresh(story)))
    story.step("refresh", answer.get("read") == 1, "A feed sends the child's new address.")
    shown = story.find("teacher", "--name", "Niamh OSullivan", "--dob", born.isoformat())
    fields = sorted(shown[0]) if shown else []
    story.step(
        "still shielded",
        fields == ["child_id", "date_of_birth", "gender", "name", "number", "shielded"],
        "The teacher finds name, number, gender and date of birth, and nothing more.",
    )
    by_place = story.find("teacher", "--postcode", "ZE9 9ZZ") + story.find("teacher", "--postcode", "LS1 6AE")
    story.step(
        "not by place",
        all(hit["child_id"] != child for hit in by_place),
        "No search by the old or the new place finds the child.",
    )
    status, _ = story.type("record", "lift-shield", child, who="data-manager")
    _, proposal = story.type("record", "lift-shield", child, "--propose", who="data-manager")
    named, digest = proposal.get("proposal", ""), proposal.get("digest", "")
    own, refused = story.type("proposal", "confirm", named, "--digest", digest, who="data-manager")
    declined, _ = story.type("proposal", "withdraw", named, who="data-manager-2")
    story.step(
        "two people",
        (status, own, declined) == (2, 1, 0),
        "One person alone cannot lower the shield, nor confirm what they proposed "
        f"({refused.get('error', {}).get('code')}); a colleague declines, and it stays.",
    )


def override(story: Story) -> None:
    """A look behind the shield, and the investigation of it."""
    child = story.kept["niamh"]
    story.chapter(
        "7. Somebody must know where the child is",
        "On a child-protection enquiry a social worker looks behind the shield. Each such look is looked into.",
    )
    status, answer = story.type("show", child, "--reason", "section-47", "--override", who="social-worker")
    story.step(
        "override",
        status == 0 and answer.get("record", {}).get("address"),
        "She sees the address, once; the record stays shielded for everybody else.",
    )
    _, found = story.type("investigation", "list", who="auditor")
    opened = [one for one in found.get("investigations", ()) if one.get("access") == answer.get("access_id")]
    named = opened[0]["investigation"] if opened else ""
    story.step(
        "opened",
        opened and opened[0]["account"] == "social-worker" and child not in json.dumps(found),
        "An investigation was open before she saw it. It names her and her look, not the child.",
    )
    _, told = story.type("record", "overrides", who="data-manager")
    looks = [
        look["account"]
        for one in told.get("children", ())
        if one["child_id"] == child
        for look in one["overrides"]
    ]
    story.step(
        "told",
        looks == ["social-worker"],
        "The team that manages the record reads who looked behind its shield, and that it is looked into.",
    )
    story.type("investigation", "take", named, who="auditor")
    _, closed = story.type("investigation", "close", named, "--outcome", "no-misuse", who="auditor")
    story.step(
        "closed",
        closed.get("outcome") == "no-misuse",
        "An auditor takes it and closes it: the enquiry was hers, nothing was misused.",
    )


def lapse(story: Story) -> None:
    """A condition of access lapses at midnight."""
    tomorrow = story.today + timedelta(days=1)
    child = story.kept["amara"]
    story.chapter(
        "8. A check is three years old at midnight",
        "Nobody looks unless every condition holds at that instant: authorisation, check, training and the rest.",
    )
    story.type(
        "account", "grant", "nurse", "--role", "practitioner", "--organisation", "NHS", "--holder", "S-4711"
    )
    story.type("account", "condition", "nurse", "check", "--on", anniversary(tomorrow, -3).isoformat())
    for condition in ("authorisation", "training", "agreement"):
        story.type("account", "condition", "nurse", condition)
    _, account = story.type("account", "condition", "nurse", "authenticator", "--reference", "K-4711")
    story.clock = begin_of(tomorrow) - timedelta(minutes=1)
    _, record = story.show("nurse", child)
    story.step(
        "before midnight", account.get("let_in") and record, "A minute to midnight the school nurse looks."
    )
    story.clock = begin_of(tomorrow)
    status, refused = story.type("show", child, "--reason", "casework", who="nurse")
    story.step(
        "at midnight",
        (status, refused.get("error", {}).get("code")) == (1, "check-lapsed"),
        "At midnight she is shut out, by the clock and nobody's doing, and is told which condition it was.",
    )
    story.type("account", "condition", "nurse", "check")
    _, record = story.show("nurse", child)
    story.step("renewed", record, "Her check is renewed: the same account is let in again.")


def auditing(story: Story) -> None:
    """A week later an auditor asks."""
    story.chapter(
        "9. A week later an auditor asks what the teacher saw",
        "Every look is in a log of its own, written before anything was shown. It can be shown again, byte for byte.",
    )
    story.clock += timedelta(days=7)
    status, answer = story.type("audit", "replay", story.kept["access"], who="auditor")
    story.step(
        "replay",
        status == 0 and answer.get("digest_matches") and answer.get("as_displayed") == story.kept["seen"],
        "The display of last week, with the sentence withdrawn since, is identical and its digest agrees.",
    )
    _, answer = story.type("audit", "who-saw", story.kept["amara"], who="auditor")
    seen = {entry.get("account_name") for entry in answer.get("entries", ())}
    story.step(
        "who saw",
        {"practitioner", "teacher"} <= seen,
        f"{len(answer.get('entries', ()))} looks at this child, by whom and why.",
    )


def birthday(story: Story) -> None:
    """An eighteenth birthday."""
    story.chapter("10. A young person turns eighteen", "At midnight the record leaves every reader's sight.")
    born = _almost_adult(story)
    before = story.find("practitioner", "--name", "Zofia Kowalska", "--dob", born.isoformat())
    story.clock = max(
        story.clock,
        datetime.combine(anniversary(born, 18), datetime.min.time(), story.clock.tzinfo) + timedelta(hours=2),
    )
    after = story.find("practitioner", "--name", "Zofia Kowalska", "--dob", born.isoformat())
    story.step("birthday", len(before) == 1 and not after, "Found the day before, not found on the day.")
    _, due = story.type("retention", "due")
    child = before[0]["child_id"] if before else ""
    story.step(
        "due",
        any(e["child_id"] == child for e in due.get("due", ())),
        "The retention schedule names it, and the rule.",
    )
    _, done = story.type("retention", "run")
    story.step("archived", done.get("archived", 0) >= 1, f"{done.get('archived')} record archived.")


def views(story: Story) -> None:
    """The views are built again."""
    story.chapter(
        "11. The views are built again from the log", "Nothing is lost when a view is: the log is the record."
    )
    for name in ("practitioner_view", "audit_trail", "retention_schedule"):
        _, answer = story.type("projection", "compare", name)
        same = answer.get("rows", 0) > 0 and not (
            answer.get("added") or answer.get("removed") or answer.get("changed")
        )
        story.step(name, same, f"{answer.get('rows')} rows, the same as a fresh fold of the log.")
    status, answer = story.type("projection", "rebuild", "practitioner_view", "--switch")
    story.step(
        "rebuild",
        status == 0,
        f"Built anew from {answer.get('events')} events and switched to, without a gap.",
    )


def subscribers(story: Story) -> None:
    """Another system hears of each change."""
    from adapters.kafka.broker import LocalBroker, NoBroker
    from cli.broker import cache

    story.chapter(
        "12. Another system hears of each change",
        "Over a real Kafka broker: that something changed and where to ask, never what.",
    )
    if story.kafka:
        _told(story)
        return
    broker = LocalBroker(story.home / "kafka", cache())
    story.say("  (A broker is started; the first time on a machine its files are fetched.)")
    try:
        broker.start()
    except NoBroker as without:
        story.say(f"  Left out, because no broker can be had here: {without.message}")
        _well(story)
        return
    story.kafka = broker.bootstrap
    try:
        _told(story)
    finally:
        broker.stop()


def _told(story: Story) -> None:
    """What was published of this home, and what a subscriber has of it. The topic may hold another home's, too."""
    _, before = story.stream("stream", "tail")
    _, told = story.type("stream", "publish", "--until-caught-up")
    published = told.get("published", 0)
    _, after = story.stream("stream", "tail")
    messages = [one for one in after if one not in before]
    changes = [one for one in messages if not str(one.get("type", "")).endswith("heartbeat.v1")]
    story.step(
        "published",
        published and len(changes) == published,
        f"{published} changes were published, and {len(changes)} messages came back.",
    )
    words = json.dumps(messages)
    personal = ("Okafor", "Whitlock", "Sullivan", "Kowalska", "Ferreira", "LS1", "LS2", "ZE2", _number(101))
    story.step(
        "says nothing",
        messages and not any(word in words for word in personal),
        "No name, number or place of a child is in any of them.",
    )
    told_of = {
        child: {str(one["type"]) for one in changes if child in json.dumps(one)}
        for child in (story.kept["niamh"], story.kept["amara"])
    }
    moved = "uk.contactpoint.record.whereabouts-changed.v1"
    hers, others = told_of.values()
    story.step(
        "silent",
        hers and moved not in hers and moved in others,
        "That the shielded child has moved is told to nobody; that another child has, is.",
    )
    _, again = story.type("stream", "publish", "--until-caught-up")
    story.step("once", again.get("published") == 0, "Published again: nothing, each change once.")
    _well(story)


def _well(story: Story) -> None:
    """Asked last: until subscribers were told, a home with a broker is not well, for here a day has gone by."""
    status, _ = story.type("health")
    story.step("health", status == 0, "Every part is well.")


CHAPTERS: tuple[Callable[[Story], None], ...] = (
    sources,
    more_sources,
    looking,
    services,
    consent,
    shield,
    override,
    lapse,
    auditing,
    birthday,
    views,
    subscribers,
)


def _ending(answer: Json, home: Path) -> str:
    if not answer["ok"]:
        return "\nThe story stopped where a ✗ stands."
    shown = home.name if home.parent == Path.cwd() else str(home)
    typed = _as_typed_here()
    return (
        f"\nDone in {answer['seconds']} s. All of it is in {shown}; try:\n"
        f"  {typed} --home {shown} --as practitioner search --reason casework --name Whitlock\n"
        f"  {typed} --home {shown} --as auditor audit what-saw teacher\n"
        f"  {typed} --home {shown} record --help\n"
        f"  {typed} --home {shown} projection status"
    )


def _as_typed_here() -> str:
    """This program as a shell in this folder finds it, whether or not .venv is on its path."""
    program = Path(sys.argv[0]).absolute()
    if program.name == "contactpoint" and program.is_relative_to(Path.cwd()):
        return str(program.relative_to(Path.cwd()))
    return "contactpoint"


def _fresh(home: Path) -> None:
    """An empty home: an earlier demonstration is removed, anything else is left alone and refused."""
    if home.exists() and any(home.iterdir()):
        if not (home / MARK).exists():
            raise BadInput(
                "This folder holds something else. Give the demonstration a folder of its own.", field="home"
            )
        from cli.bootstrap import stop_server

        stop_server(home)
        shutil.rmtree(home)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    (home / MARK).write_text("Made by `contactpoint demo`; removed by the next one.\n", encoding="utf-8")


def _indented(record: Json) -> str:
    return (
        "\n".join(f"      {line}" for line in words_of_record(record).splitlines())
        if record
        else "      (nothing)"
    )


def _born(story: Story, years: int) -> date:
    """A birth this many years and forty days before the story begins."""
    began = story.kept.setdefault("began", story.today)
    return anniversary(began, -years) - timedelta(days=40)


def _almost_adult(story: Story) -> date:
    """A birth whose eighteenth anniversary lies nine days after the story begins."""
    began = story.kept.setdefault("began", story.today)
    return anniversary(began + timedelta(days=9), -18)


def _number(serial: int) -> str:
    """A number of the range that is never issued to a person."""
    for check in "0123456789":
        try:
            return nhs_number(f"90000{serial:04d}{check}")
        except ValueError:
            continue
    return _number(serial + 5000)


def _write_births(story: Story) -> Path:
    people = (
        (
            "B-1001",
            "Amara Grace",
            "Okafor-Bell",
            _born(story, 3),
            "F",
            101,
            "",
            "Ngozi",
            "Okafor-Bell",
            "4 Tannery Row",
            "LS1 6AE",
        ),
        (
            "B-1002",
            "Leo",
            "Whitlock",
            _born(story, 6),
            "M",
            102,
            "1",
            "Sara",
            "Whitlock",
            "11 Quarry Lane",
            "LS2 7EW",
        ),
        (
            "B-1003",
            "Luca",
            "Whitlock",
            _born(story, 6),
            "M",
            103,
            "2",
            "Sara",
            "Whitlock",
            "11 Quarry Lane",
            "LS2 7EW",
        ),
        (
            "B-1004",
            "Niamh",
            "O'Sullivan",
            _born(story, 9),
            "F",
            104,
            "",
            "Aoife",
            "O'Sullivan",
            "2 Mill Cottages",
            "LS1 6AE",
        ),
        (
            "B-1005",
            "Zofia",
            "Kowalska",
            _almost_adult(story),
            "F",
            105,
            "",
            "Ewa",
            "Kowalska",
            "30 Weaver Street",
            "LS2 7EW",
        ),
    )
    path = story.home / "births.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(BIRTHS_COLUMNS)
        for entry, given, surname, born, sex, number, order, mother, mothers, line, code in people:
            registered = (born + timedelta(days=20)).isoformat()
            out.writerow(
                [
                    entry,
                    registered,
                    given,
                    surname,
                    born.isoformat(),
                    sex,
                    _number(number),
                    order,
                    mother,
                    mothers,
                    line,
                    code,
                    AUTHORITY,
                ]
            )
    return path


def _write_pds(story: Story) -> Path:
    messages = [
        _patient(
            101,
            ["Amara", "Grace"],
            "Okafor-Bell",
            _born(story, 3),
            "female",
            "4 Tannery Row",
            "LS1 6AE",
            practice="Y12345",
        ),
        _patient(102, ["Leo"], "Whitlock", _born(story, 6), "male", "11 Quarry Lane", "LS2 7EW", order=1),
        _patient(103, ["Luca"], "Whitlock", _born(story, 6), "male", "11 Quarry Lane", "LS2 7EW", order=2),
        _patient(104, ["Niamh"], "O'Sullivan", _born(story, 9), "female", "2 Mill Cottages", "LS1 6AE"),
        _patient(105, ["Zofia"], "Kowalska", _almost_adult(story), "female", "30 Weaver Street", "LS2 7EW"),
        _patient(106, ["Tomasz"], "Ferreira", _born(story, 12), "male", None, None, restricted=True),
        _patient(107, ["Edwin"], "Marlowe", date(1961, 5, 4), "male", "9 Station Road", "LS2 7EW"),
    ]
    return _ndjson(story.home / "pds.ndjson", messages)


def _write_claims(story: Story) -> Path:
    columns = ("claim_number", "claimed_from", "given_names", "surname", "date_of_birth", "sex", "nhs_number")
    moved = (story.today - timedelta(days=20)).isoformat()
    born, adult = _born(story, 3).isoformat(), (_almost_adult(story) + timedelta(days=1)).isoformat()
    path = story.home / "child-benefit.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow((*columns, "address_line_1", "postcode"))
        claim = (
            "CHB40000001AB",
            moved,
            "Amara Grace",
            "Okafor-Bell",
            born,
            "F",
            "",
            "8 Orchard Close",
            "LS1 6AE",
        )
        out.writerow(claim)
        doubtful = ("CHB40000002AC", moved, "Zofia", "Kowalska", adult, "F", _number(105))
        out.writerow((*doubtful, "30 Weaver Street", "LS2 7EW"))
    return path


def _write_census(story: Story) -> Path:
    born, day = _born(story, 9), story.today.isoformat()
    path = story.home / "school-census.xml"
    path.write_text(
        f"""<?xml version="1.0" encoding="UTF-8"?>
<Message>
  <Header>
    <CollectionDetails><Collection>SC</Collection><Term>SPR</Term><Year>{day[:4]}</Year>
      <ReferenceDate>{day}</ReferenceDate></CollectionDetails>
    <Source><SourceLevel>S</SourceLevel><LEA>999</LEA><Estab>2001</Estab></Source>
  </Header>
  <Pupils><PupilsOnRoll><PupilOnRoll>
    <PupilIdentifiers><UPN>{_pupil_number()}</UPN><Surname>O'Sullivan</Surname><Forename>Niamh</Forename>
      <DOB>{born.isoformat()}</DOB><Sex>F</Sex></PupilIdentifiers>
    <PupilStatus><EntryDate>{(born + timedelta(days=1700)).isoformat()}</EntryDate></PupilStatus>
    <HomeInformation><Address><AddressLines><AddressLine1>2 Mill Cottages</AddressLine1></AddressLines>
      <PostCode>LS1 6AE</PostCode></Address></HomeInformation>
  </PupilOnRoll></PupilsOnRoll></Pupils>
</Message>
""",
        encoding="utf-8",
    )
    return path


def _pupil_number() -> str:
    """A number of a school that does not exist."""
    for letter in "ABCDEFGHJKLMNPQRTUVWXYZ":
        try:
            return unique_pupil_number(f"{letter}999200125001")
        except ValueError:
            continue
    raise AssertionError


def _write_cases(story: Story) -> Path:
    message = {
        "body": AUTHORITY,
        "id": "CS-1001",
        "as_of": story.today.isoformat(),
        "given": ["Luca"],
        "family": "Whitlock",
        "date_of_birth": _born(story, 6).isoformat(),
        "sex": "M",
        "nhs_number": _number(103),
        "involvements": [
            {
                "id": "I-1",
                "service": "Speech and language therapy",
                "kind": "additional",
                "contact": {"telephone": "01632 960100"},
                "began": (story.today - timedelta(days=90)).isoformat(),
            }
        ],
    }
    return _ndjson(story.home / "case-management.ndjson", [message])


def _write_refresh(story: Story) -> Path:
    message = _patient(
        104,
        ["Niamh"],
        "O'Sullivan",
        _born(story, 9),
        "female",
        "7 Harbour View",
        "ZE2 9ZZ",
        since=story.today,
    )
    return _ndjson(story.home / "pds-refresh.ndjson", [message])


def _ndjson(path: Path, messages: list[Json]) -> Path:
    path.write_text("".join(json.dumps(message) + "\n" for message in messages), encoding="utf-8")
    return path


def _patient(
    serial: int,
    given: list[str],
    family: str,
    born: date,
    gender: str,
    line: str | None,
    code: str | None,
    *,
    restricted: bool = False,
    order: int | None = None,
    practice: str | None = None,
    since: date | None = None,
) -> Json:
    """A FHIR R4 Patient as the Personal Demographics Service sends it."""
    number = _number(serial)
    verified = {
        "url": "https://fhir.hl7.org.uk/StructureDefinition/Extension-UKCore-NHSNumberVerificationStatus",
        "valueCodeableConcept": {
            "coding": [
                {
                    "system": "https://fhir.hl7.org.uk/CodeSystem/UKCore-NHSNumberVerificationStatus",
                    "version": "1.0.0",
                    "code": "01",
                    "display": "Number present and verified",
                }
            ]
        },
    }
    start = (since or born).isoformat()
    message: Json = {
        "resourceType": "Patient",
        "id": number,
        "identifier": [
            {"system": "https://fhir.nhs.uk/Id/nhs-number", "value": number, "extension": [verified]}
        ],
        "meta": {
            "versionId": "2",
            "security": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/v3-Confidentiality",
                    "code": "R" if restricted else "U",
                    "display": "restricted" if restricted else "unrestricted",
                }
            ],
        },
        "name": [
            {
                "id": "1",
                "use": "usual",
                "period": {"start": born.isoformat()},
                "given": given,
                "family": family,
            }
        ],
        "gender": gender,
        "birthDate": born.isoformat(),
    }
    if order:
        message["multipleBirthInteger"] = order
    if line:
        message["address"] = [
            {
                "id": "1",
                "use": "home",
                "period": {"start": start},
                "line": [line, "Marlbridge"],
                "postalCode": code,
            }
        ]
    if practice:
        reference = {
            "system": "https://fhir.nhs.uk/Id/ods-organization-code",
            "value": practice,
            "period": {"start": start},
        }
        message["generalPractitioner"] = [{"id": "1", "type": "Organization", "identifier": reference}]
    return message
