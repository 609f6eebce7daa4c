"""Acts that need two people: one proposes, another confirms exactly that, in time, or nothing is done."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest

from adapters.faults import FaultAt
from adapters.postgres.databases import Role
from adapters.postgres.recorder import LogRecorder
from adapters.rule_files import packaged
from adapters.store import EncryptedEventStore, Reveal
from cli.app import App
from cli.bootstrap import open_app, open_stores
from cli.stores import RECORD_PARTS
from cli.two_people import TwoPeople
from domain.child_record.commands import LiftShield
from domain.child_record.handlers import carry_out
from domain.errors import Refused
from domain.kernel import Log, Metadata
from domain.proposal.commands import ConfirmAct
from domain.proposal.handlers import change_of, handle
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Json, Line
from tests.acceptance.people import a_child, born, id_of
from tests.acceptance.test_access import COURT, granted, record
from tests.acceptance.test_shields import SHOWN_OF_A_SHIELDED_CHILD
from tests.plugins_counts import count

pytestmark = pytest.mark.postgres

LIFT = ("record", "lift-shield")
OURS = "E06000999"


def shielded(line: Line, **changed: str) -> str:
    child = born(line, a_child(), **changed)
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    return child


def proposed(line: Line, child: str, acting: str = "data-manager") -> Json:
    return line.done(*LIFT, child, "--propose", acting=acting)


def confirm(proposal: Json, digest: str | None = None) -> tuple[str, ...]:
    return "proposal", "confirm", proposal["proposal"], "--digest", digest or proposal["digest"]


def is_shielded(line: Line, child: str) -> bool:
    return set(line.shown(child)) == SHOWN_OF_A_SHIELDED_CHILD


def test_what_one_proposed_another_confirms_and_it_is_done_in_both_names(line: Line) -> None:
    child = shielded(line)
    proposal = proposed(line, child)
    assert is_shielded(line, child), "a proposal does nothing"
    (listed,) = line.done("proposal", "list", acting="data-manager-2")["proposals"]
    shown = line.done("proposal", "show", proposal["proposal"], acting="data-manager-2")
    shown.pop("access_id")
    assert shown == listed == proposal, "both see the same"
    assert (shown["act"], shown["child"], shown["reason"], shown["proposed_by"], shown["state"]) == (
        "lift-shield",
        child,
        "risk-ended",
        "data-manager",
        "open",
    )

    assert line.done(*confirm(proposal), acting="data-manager-2")["receipt"]

    assert not is_shielded(line, child)
    entry = line.done("audit", "changes", child)["entries"][0]
    assert (entry["event"], entry["account_name"]) == ("shield-lifted", "data-manager")
    assert line.done("proposal", "list", acting="data-manager-2")["proposals"] == []
    after = line.done("proposal", "show", proposal["proposal"], acting="data-manager")
    assert after["state"] == "confirmed"
    line.refused("already-confirmed", *confirm(proposal), acting="data-manager-2")
    line.refused("already-confirmed", "proposal", "withdraw", proposal["proposal"], acting="data-manager")


def test_by_two_in_one_command_proposal_and_confirmation_are_on_record_with_the_act(line: Line) -> None:
    child = shielded(line)
    before, _ = line.heads()
    line.done(*LIFT, child, acting="data-manager", second="data-manager-2")
    after, _ = line.heads()
    assert after == before + 3, "proposed, confirmed, lifted"
    assert not is_shielded(line, child)


@pytest.mark.parametrize(
    ("who", "code"),
    [
        ("data-manager", "same-person"),
        ("auditor", "right-not-held"),
        ("practitioner", "right-not-held"),
        ("operator", "right-not-held"),
    ],
)
def test_nobody_confirms_their_own_proposal_nor_one_they_could_not_do(
    line: Line, who: str, code: str
) -> None:
    child = shielded(line)
    proposal = proposed(line, child)
    refused = line.refused(code, *confirm(proposal), acting=who)
    assert is_shielded(line, child)
    assert child not in refused.printed
    entries = line.done("audit", "what-saw", who, acting="auditor-2")["entries"][:2]
    assert ("refused", code) in [(entry["outcome"], entry["rule"]) for entry in entries]


def test_two_accounts_of_one_person_or_of_a_manager_and_the_managed_are_not_two_people(
    new_home: NewHome,
) -> None:
    line = new_home()
    child = shielded(line)
    for name in ("first", "second", "boss"):
        granted(line, name, "data-manager", "E06000999")
    numbers = {name: line.done("account", "show", name)["holder"] for name in ("first", "second", "boss")}
    line.done("account", "line-manager", "first", numbers["boss"])
    by_first, by_boss = proposed(line, child, "first"), proposed(line, child, "boss")

    line.refused("manages-the-other", *confirm(by_first), acting="boss")
    line.refused("manages-the-other", *confirm(by_boss), acting="first")
    line.refused("manages-the-other", *LIFT, child, acting="first", second="boss")
    line.refused("manages-the-other", *LIFT, child, acting="boss", second="first")
    assert is_shielded(line, child)
    entry = line.done("audit", "what-saw", "first")["entries"][0]
    assert (entry["outcome"], entry["rule"]) == ("refused", "manages-the-other")

    line.done(*confirm(by_first), acting="second")
    assert not is_shielded(line, child)


def test_a_proposal_is_good_for_a_day_and_not_an_instant_longer(new_home: NewHome) -> None:
    line = new_home()
    child = shielded(line)
    proposal, later = proposed(line, child), proposed(line, child)
    began = line.clock

    line.clock = began + timedelta(hours=24)
    refused = line.refused("proposal-expired", *confirm(proposal), acting="data-manager-2")
    assert child not in refused.printed
    assert is_shielded(line, child)
    shown = line.done("proposal", "show", proposal["proposal"], acting="data-manager-2")
    assert shown["state"] == "expired"
    assert line.done("proposal", "list", acting="data-manager-2")["proposals"] == []
    before, _ = line.heads()
    line.refused("proposal-expired", *confirm(proposal), acting="data-manager-2")
    assert line.heads()[0] == before, "that it expired is on record once"
    assert line.done("retention", "run")["expired"] == 1, "the other is put on record when it is looked for"
    line.refused("proposal-expired", *confirm(later), acting="data-manager-2")


def test_a_proposal_may_be_confirmed_up_to_its_end(new_home: NewHome) -> None:
    line = new_home()
    child = shielded(line)
    proposal = proposed(line, child)
    line.clock += timedelta(hours=24) - timedelta(seconds=1)
    line.done(*confirm(proposal), acting="data-manager-2")
    assert not is_shielded(line, child)


def test_a_record_that_changed_since_is_not_what_both_were_shown(line: Line) -> None:
    child = shielded(line)
    proposal = proposed(line, child)
    line.record("shield", child, "--ground", "adult-at-risk", acting="social-worker")

    line.refused("record-changed", *confirm(proposal), acting="data-manager-2")

    assert is_shielded(line, child)
    assert line.done("proposal", "show", proposal["proposal"], acting="data-manager")["state"] == "open"
    line.done(*confirm(proposed(line, child)), acting="data-manager-2")
    assert not is_shielded(line, child), "both shields"


def test_another_act_than_was_shown_is_not_confirmed(line: Line) -> None:
    child, other = shielded(line), shielded(line)
    one, two = proposed(line, child), proposed(line, other)
    assert one["digest"] != two["digest"]
    line.refused("not-what-was-shown", *confirm(one, two["digest"]), acting="data-manager-2")
    assert is_shielded(line, child)
    assert is_shielded(line, other)
    again = proposed(line, child)
    assert again["digest"] != one["digest"], "of the same act too"


def test_conditions_that_lapsed_in_between_stop_it_whosever_they_are(new_home: NewHome) -> None:
    line = new_home()
    child = shielded(line)
    for name in ("first", "second", "third"):
        granted(line, name, "data-manager", "E06000999")
    proposal = proposed(line, child, "first")

    line.done("account", "withdraw-condition", "second", "check", "--reason", "recorded-in-error")
    line.refused("check-withdrawn", *confirm(proposal), acting="second")

    line.done("account", "withdraw-condition", "first", "training", "--reason", "recorded-in-error")
    refused = line.refused("second-not-admitted", *confirm(proposal), acting="third")
    assert "train" not in refused.printed, "what does not hold of another is theirs to know"
    for name in ("first", "third"):
        entry = line.done("audit", "what-saw", name)["entries"][0]
        assert (entry["action"], entry["outcome"], entry["rule"]) == (
            "lift-shield",
            "refused",
            "second-training-withdrawn",
        )
    assert is_shielded(line, child)

    record(line, "first", "training", line.clock.date())
    line.done(*confirm(proposal), acting="third")
    assert not is_shielded(line, child)


@pytest.mark.parametrize("who", ["data-manager", "data-manager-2"])
def test_either_may_say_no(line: Line, who: str) -> None:
    child = shielded(line)
    proposal = proposed(line, child)
    line.done("proposal", "withdraw", proposal["proposal"], acting=who)
    line.refused("proposal-withdrawn", *confirm(proposal), acting="data-manager-2")
    assert is_shielded(line, child)


def test_what_could_not_be_done_is_not_proposed(line: Line) -> None:
    child = born(line, a_child())
    before, _ = line.heads()
    line.refused("no-shield", *LIFT, child, "--propose", acting="data-manager")
    line.refused("right-not-held", *LIFT, child, "--propose", acting="teacher")
    line.refused(
        "unknown-reason", *LIFT, child, "--propose", "--reason", "bored", acting="data-manager", status=2
    )
    line.refused("not-found", *LIFT, str(UUID(int=7)), "--propose", acting="data-manager")
    line.refused("not-found", "proposal", "show", str(UUID(int=7)), acting="data-manager")
    assert line.heads()[0] == before


# Looks that two people make together


def test_whereabouts_shielded_since_are_shown_again_to_who_confirms_it_and_once(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    access = line.show(child)
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    line.refused("two-people-needed", "audit", "replay", access["access_id"])
    proposal = line.done("audit", "replay", access["access_id"], "--propose")
    assert one.postcode not in str(proposal)

    line.refused("same-person", *confirm(proposal), acting="auditor")
    again = line.done(*confirm(proposal), acting="auditor-2")

    assert (again["as_displayed"], again["digest_matches"]) == (access["record"], True)
    assert again["access_id"] == proposal["proposal"], "the look bears the proposal's id"
    refused = line.refused("already-confirmed", *confirm(proposal), acting="auditor-2")
    assert one.postcode not in refused.printed
    entry = line.done("audit", "what-saw", "auditor-2")["entries"][1]
    assert (entry["action"], entry["outcome"], entry["access_id"]) == (
        "replay",
        "granted",
        proposal["proposal"],
    )
    named = line.done("account", "show", "auditor")["account"]
    assert entry["account"] == named, "the first looked, the second confirmed"


def test_facts_of_a_shielded_record_are_handed_over_once_both_have_seen_them(line: Line) -> None:
    one = a_child()
    child = born(line, one, authority="E06000999")
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    asked = ("hand-over", child, *COURT, "--field", "address")
    proposal = line.done(*asked, "--propose", acting="data-manager")
    assert proposal["handing_over"]["address"]["postcode"] == one.postcode
    assert (proposal["recipient"], proposal["ground"]) == ("Family Court at Marlbridge", "required-by-law")

    shown = line.done("proposal", "show", proposal["proposal"], acting="data-manager-2")
    assert {key: shown[key] for key in proposal} == proposal
    answer = line.done(*confirm(proposal), acting="data-manager-2")

    assert answer["handed_over"] == proposal["handing_over"]
    entries = line.done("audit", "who-saw", child)["entries"][:3]
    assert [(entry["action"], entry["rule"], entry["account_name"]) for entry in entries] == [
        ("hand-over", "required-by-law", "data-manager"),
        ("hand-over", "hand-over-proposed", "data-manager-2"),
        ("hand-over", "hand-over-proposed", "data-manager"),
    ]
    again = line.done("audit", "replay", answer["access_id"], acting="auditor", second="auditor-2")
    assert again["as_displayed"] == answer["handed_over"]


def test_nothing_is_handed_over_of_a_record_that_changed_since(line: Line) -> None:
    one = a_child()
    child = born(line, one, authority="E06000999")
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    asked = ("hand-over", child, *COURT, "--field", "address")
    proposal = line.done(*asked, "--propose", acting="data-manager")
    line.record(
        "correct", child, "--line", "9 Elsewhere Street", "--postcode", "LS1 6AE", acting="social-worker"
    )
    refused = line.refused("record-changed", *confirm(proposal), acting="data-manager-2")
    assert one.postcode not in refused.printed
    line.refused("record-changed", "proposal", "show", proposal["proposal"], acting="data-manager")


def test_evidence_about_a_shielded_child_is_written_for_who_confirms_it(line: Line, tmp_path: Path) -> None:
    child = shielded(line)
    line.done("seal", "--until-caught-up")
    file = tmp_path / "pack"
    line.refused("two-people-needed", "audit", "export", child, str(file))
    proposal = line.done("audit", "export", child, str(file), "--propose")
    assert not file.exists()
    line.refused("usage", *confirm(proposal), acting="auditor-2", status=2)
    answer = line.done(*confirm(proposal), "--file", str(file), acting="auditor-2")
    assert file.exists()
    assert answer["entries"] > 1
    line.refused("already-confirmed", *confirm(proposal), "--file", str(tmp_path / "two"), acting="auditor-2")


def test_nothing_of_anybody_is_in_a_proposal(line: Line) -> None:
    one = a_child()
    child = born(line, one, authority="E06000999")
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    line.done("hand-over", child, *COURT, "--field", "address", "--propose", acting="data-manager")
    rows = line.view_rows()
    words = str({name: rows[name] for name in rows if ".proposal" in name or "oversight" in name})
    for personal in (one.postcode, one.family, "Court", child):
        assert personal not in words
    listed = line("proposal", "list", acting="data-manager")
    assert one.postcode not in listed.printed
    assert one.family not in listed.printed


# Records that are made one, two, or none of


def refusals_of(line: Line, reason: str) -> int:
    """How many refusals for this reason are on record."""
    entries = line.done("audit", "refusals")["entries"]
    return sum(entry["count"] for entry in entries if entry["reason"] == reason)


def confirmed_and_refused(
    line: Line, words: tuple[str, ...], change: Callable[[], object], *written: str
) -> tuple[Json, Json]:
    """A proposal made before a change, which is refused for it, and one after, refused to who made it, then done.

    Gives the second, and what confirming it answers.
    """
    stale = line.done(*words, "--propose", acting="data-manager")
    change()
    proposal = line.done(*words, "--propose", acting="data-manager")
    shown = line.done("proposal", "show", proposal["proposal"], acting="data-manager-2")
    assert {**proposal, "access_id": shown["access_id"]} == shown, "both see the same"
    line.refused("same-person", *confirm(proposal), *written, acting="data-manager")
    line.refused("right-not-held", *confirm(proposal), *written, acting="practitioner")
    before = refusals_of(line, "record-changed")
    line.refused("record-changed", *confirm(stale), *written, acting="data-manager-2")
    assert refusals_of(line, "record-changed") == before + 1, "once"
    line.clock += timedelta(days=1)
    line.refused("proposal-expired", *confirm(proposal), *written, acting="data-manager-2")
    proposal = line.done(*words, "--propose", acting="data-manager")
    done = line.done(*confirm(proposal), *written, acting="data-manager-2")
    line.refused("already-confirmed", *confirm(proposal), *elsewhere(written), acting="data-manager-2")
    return proposal, done


def elsewhere(written: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(one if one.startswith("--") else f"{one}-again" for one in written)


def test_t24_a_shielded_record_is_made_two_again_by_two_people_and_both_begin_shielded(line: Line) -> None:
    people = (a_child(), a_child())
    kept, closed = (born(line, one, authority=OURS) for one in people)
    line.record("shield", kept, "--ground", "crime", acting="social-worker")
    line.done(
        "record",
        "merge",
        kept,
        closed,
        "--reason",
        "same-number",
        acting="data-manager",
        second="data-manager-2",
    )
    line.record("involve", kept, "--service", "Kooth", "--kind", "universal")
    with line.as_superuser() as connection:
        ((version,),) = connection.execute(
            "SELECT max(version)::text FROM record_log.event WHERE stream_id = %s::uuid", (kept,)
        )
    words = ("record", "split", kept, "--reason", "merged-in-error", "--to-second", version)
    line.refused("two-people-needed", *words, acting="data-manager")

    def changed() -> None:
        line.record("involve", kept, "--service", "Play group", "--kind", "universal")

    proposal, done = confirmed_and_refused(line, words, changed)

    assert (proposal["act"], proposal["child"], proposal["reason"], proposal["to_second"]) == (
        "split-record", kept, "merged-in-error", [int(version)],
    )  # fmt: skip
    assert done["receipt"]
    halves = [line.shown(id_of(line, one)) for one in people]
    assert [set(one) for one in halves] == [SHOWN_OF_A_SHIELDED_CHILD] * 2
    assert halves[0]["number"] != halves[1]["number"]


def test_t23_neither_of_two_records_has_changed_when_they_are_made_one(line: Line) -> None:
    kept, closed = shielded(line, authority=OURS), born(line, a_child(), authority=OURS)
    words = ("record", "merge", kept, closed, "--reason", "documents-seen")

    def changed() -> None:
        line.record("involve", closed, "--service", "Kooth", "--kind", "universal")

    confirmed_and_refused(line, words, changed)


def test_t27_the_record_of_an_old_identity_is_sealed_by_two_people_and_the_letter_is_written(
    line: Line, tmp_path: Path
) -> None:
    one = a_child()
    old = born(line, one, authority=OURS)
    letter = tmp_path / "letter"

    def changed() -> None:
        line.record("involve", old, "--service", "Kooth", "--kind", "universal")

    words = ("record", "seal", old)
    proposal, done = confirmed_and_refused(line, words, changed, "--file", str(letter))

    assert (proposal["act"], proposal["child"]) == ("seal-record", old)
    assert done["letter"] == str(letter)
    assert not letter.with_name("letter-again").exists(), "what was refused leaves no letter"
    line.unseen(old)
    assert not line.found(*one.criteria)


def test_t27_a_new_identity_is_said_by_two_people_alike_and_the_index_holds_no_proposal_of_it(
    line: Line, tmp_path: Path
) -> None:
    old, after = born(line, a_child(), authority=OURS), a_child()
    letter, second = tmp_path / "letter", tmp_path / "second-letter"
    line.done("record", "seal", old, "--letter", str(letter), acting="data-manager", second="data-manager-2")
    line.clock += timedelta(days=2)

    def words(file: Path, *facts: str) -> tuple[str, ...]:
        return ("record", "new-identity", str(file), *(facts or after.options))

    before, _ = line.heads()
    line.done(*words(letter), "--propose", str(second), acting="data-manager")
    assert line.heads()[0] == before, "nothing is in the log"
    assert line.done("proposal", "list", acting="data-manager-2")["proposals"] == []
    for personal in (after.family, after.postcode, after.street):
        assert personal not in second.read_text("utf-8")

    line.refused("same-person", *words(second), acting="data-manager")
    line.refused("right-not-held", *words(second), acting="practitioner")
    line.refused("not-what-was-shown", *words(second, *a_child().options), acting="data-manager-2")
    forged = tmp_path / "forged"
    forged.write_text(second.read_text("utf-8").replace('"expires_at": "20', '"expires_at": "21'), "utf-8")
    line.refused("not-a-letter", *words(forged), acting="data-manager-2", status=2)
    assert not line.found(*after.criteria)

    done = line.done(*words(second), acting="data-manager-2")

    new = id_of(line, after)
    assert line.shown(new)["number"] == done["number"]
    assert set(line.shown(new)) == SHOWN_OF_A_SHIELDED_CHILD
    line.refused("already-confirmed", *words(second), acting="data-manager-2")
    third = tmp_path / "third-letter"
    line.done(*words(letter), "--propose", str(third), acting="data-manager")
    line.clock += timedelta(days=1)
    line.refused("proposal-expired", *words(third), acting="data-manager-2")


# Both or neither, and once


class Killed(BaseException):
    """Stands for the end of the process: nothing in the product catches it."""


def die() -> None:
    raise Killed


@pytest.mark.parametrize("point", LogRecorder.FAULT_POINTS[:2])
def test_the_act_is_done_with_its_confirmation_or_neither_is(line: Line, point: str) -> None:
    child = shielded(line)
    proposal = proposed(line, child)
    digest = bytes.fromhex(proposal["digest"])
    with open_stores(line.home, line.settings) as (stores, _), ExitStack() as closing:
        recorder = LogRecorder(stores.databases.record, Role.WRITER, Log.RECORD, reach=FaultAt(point, 1, die))
        closing.callback(recorder.close)
        store = EncryptedEventStore(
            recorder,
            stores.keys(Role.WRITER),
            RECORD_PARTS,
            stores.ids,
            stores.clock,
            right=Reveal.EVERYTHING,
        )
        rules, now = packaged()["present"].rules, stores.clock.now()
        first, second = UUID(int=1), UUID(int=2)
        confirming = ConfirmAct(at=now, digest=digest)
        proposal_id = UUID(proposal["proposal"])
        with pytest.raises(Killed):
            carry_out(
                UUID(child),
                LiftShield(at=now, reason="risk-ended", proposed_by=first, confirmed_by=second),
                store=store,
                tokens=stores.tokens(Role.WRITER),
                rules=rules,
                metadata=Metadata(actor=first, confirmed_by=second, correlation=stores.ids.new()),
                beside=lambda _: change_of(proposal_id, confirming, store=store, rules=rules),
            )

    after = line.done("proposal", "show", proposal["proposal"], acting="data-manager")["state"]
    changes = [entry["event"] for entry in line.done("audit", "changes", child)["entries"]]
    assert (after == "confirmed") == ("shield-lifted" in changes)
    assert after == ("open" if point == "append.before" else "confirmed")
    again = line(*confirm(proposal), acting="data-manager-2")
    assert again.code in ("", "already-confirmed")
    line.done("init", "--training")
    assert "shield-lifted" in [entry["event"] for entry in line.done("audit", "changes", child)["entries"]]


def at_once(*doings: Callable[[], object]) -> list[object]:
    """Do these at the same moment; what each gave, or the refusal it met."""
    start = Barrier(len(doings))

    def do(doing: Callable[[], object]) -> object:
        start.wait()
        try:
            return doing()
        except Refused as refused:
            return refused.code

    with ThreadPoolExecutor(len(doings)) as pool:
        return list(pool.map(do, doings))


@pytest.mark.parametrize("others", ["another confirms it", "the first withdraws it"])
def test_of_several_who_decide_at_the_same_moment_one_does(new_home: NewHome, others: str) -> None:
    line = new_home()
    granted(line, "third", "data-manager", "E06000999")
    with ExitStack() as opened:
        apps = [opened.enter_context(open_app(line.home, line.settings)) for _ in range(2)]
        for app in apps:
            assert app.writing is not None  # opened before the race
        for _ in range(count(300)):
            child = shielded(line)
            proposal = proposed(line, child)
            proposal_id, digest = UUID(proposal["proposal"]), bytes.fromhex(proposal["digest"])

            def confirming(app: App, name: str, one: UUID = proposal_id, by: bytes = digest) -> object:
                return TwoPeople(app).confirm(app.viewer(name), one, by, None)

            def withdrawing(app: App, one: UUID = proposal_id) -> object:
                return TwoPeople(app).withdraw(app.viewer("data-manager"), one)

            other = (
                partial(confirming, apps[1], "third")
                if others == "another confirms it"
                else partial(withdrawing, apps[1])
            )
            with line.sealer():
                outcomes = at_once(partial(confirming, apps[0], "data-manager-2"), other)

            done = [outcome for outcome in outcomes if not isinstance(outcome, str)]
            assert len(done) == 1, outcomes
            told = line.done("proposal", "show", proposal["proposal"], acting="data-manager")["state"]
            codes = {"confirmed": "already-confirmed", "withdrawn": "proposal-withdrawn"}
            assert codes[told] in outcomes
            assert is_shielded(line, child) == (told == "withdrawn")
            events = [entry["event"] for entry in line.done("audit", "changes", child)["entries"]]
            assert events.count("shield-lifted") == (told == "confirmed")


def test_a_look_that_was_cut_off_after_its_confirmation_is_made_once_it_is_confirmed_again(
    line: Line,
) -> None:
    one = a_child()
    child = born(line, one)
    access = line.show(child)
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    proposal = line.done("audit", "replay", access["access_id"], "--propose")
    with open_app(line.home, line.settings) as app:
        first, second = app.viewer("auditor"), app.viewer("auditor-2")
        handle(  # all that was done before the process died
            UUID(proposal["proposal"]),
            ConfirmAct(at=app.now(), digest=bytes.fromhex(proposal["digest"])),
            store=app.serving,
            rules=app.rules,
            metadata=app.metadata(first, second, "audit"),
        )

    again = line.done(*confirm(proposal), acting="auditor-2")

    assert (again["as_displayed"], again["access_id"]) == (access["record"], proposal["proposal"])
    line.refused("already-confirmed", *confirm(proposal), acting="auditor-2")
