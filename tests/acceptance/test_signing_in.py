"""Signing in, sessions, and who may let people register: T39, T40, T42 and T43 without --as.

In training homes, whose clock can be set; what only other homes do is in test_first_managers.
"""

import json
import stat
from base64 import b32decode, b64encode
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import psycopg
import pytest
from fhir.resources.R4B.auditevent import AuditEvent

from cli.bootstrap import open_app
from cli.kept_session import SessionToken
from tests.acceptance.authenticators import Holder, code_of, enrolled
from tests.acceptance.conftest import NewHome, Restored
from tests.acceptance.line import Answer, Line
from tests.acceptance.people import a_child, born
from tests.acceptance.test_access import at, granted, record

pytestmark = pytest.mark.postgres

ANOTHER_PASSWORD = "nine copper herons wade"


def looks(who: Holder, child: str) -> None:
    assert who.done("show", child, "--reason", "casework")["record"]["child_id"] == child


def stopped(who: Holder, child: str, code: str) -> None:
    refused = who.refused(code, "show", child, "--reason", "casework")
    assert child not in refused.printed


def newest(line: Line, name: str) -> tuple[str, str, str]:
    """Of the newest entry about an account: what was asked for, what came of it, by which rule."""
    entry = line.done("audit", "what-saw", name)["entries"][0]
    return entry["action"], entry["outcome"], entry["rule"]


@pytest.fixture(scope="module")
def child(line: Line) -> str:
    return born(line, a_child())


# Signing in, and acting


def test_whoever_signed_in_acts_as_themselves_and_all_of_it_is_on_the_trail(line: Line, child: str) -> None:
    who = enrolled(line, granted(line, "signs-in"))
    began = who.sign_in()
    looks(who, child)
    who.step_up()
    assert who.done("sign-out") == {"ended": True}
    stopped_usage = who.refused("usage", "show", child, "--reason", "casework", status=2)
    assert stopped_usage["error"]["field"] == "as"

    entries = line.done("audit", "what-saw", who.name)["entries"]
    assert [(one["action"], one["outcome"]) for one in entries] == [
        ("sign-out", "granted"),
        ("step-up", "granted"),
        ("show", "granted"),
        ("sign-in", "granted"),
    ]
    assert began["how"] == "password"
    assert who.done("sign-out") == {"ended": False}


def test_a_look_names_the_session_it_was_made_in(line: Line, child: str) -> None:
    who = enrolled(line, granted(line, "named-session"))
    began = who.sign_in()
    shown = who.done("show", child, "--reason", "casework")
    with open_app(line.home, line.settings) as app:
        access = app.access_log.load(UUID(shown["access_id"]))
    assert access is not None
    assert str(getattr(access.event, "session", None)) == began["session"]


def test_t39_where_a_check_reaches_three_years_at_midnight_sign_in_and_live_sessions_stop(
    new_home: NewHome,
) -> None:
    line = new_home()
    child = born(line, a_child())
    who = enrolled(line, granted(line, "visitor", check=(line.clock - timedelta(days=983)).date()))
    assert (line.clock - timedelta(days=983)).date().isoformat() == "2024-06-30"
    at(line, "2027-06-29T22:50:00+00:00")  # ten to midnight in London
    who.sign_in()
    at(line, "2027-06-29T22:59:59.999990+00:00")
    looks(who, child)

    at(line, "2027-06-29T23:00:00+00:00")

    stopped(who, child, "check-lapsed")
    refused = who.try_to_sign_in(seat="another desk")
    assert (refused.status, refused.code) == (1, "check-lapsed")
    assert newest(line, who.name) == ("sign-in", "refused", "check-lapsed")
    record(line, who.name, "check", line.clock.date())
    looks(who, child)  # the same account, and the session that was live


@pytest.mark.parametrize("condition", ["authorisation", "check", "training", "agreement"])
def test_t40_where_a_condition_is_taken_back_a_live_session_stops(
    line: Line, child: str, condition: str
) -> None:
    who = enrolled(line, granted(line, f"live-{condition}"))
    who.sign_in()
    looks(who, child)
    line.done("account", "withdraw-condition", who.name, condition, "--reason", "requested-by-manager")
    stopped(who, child, f"{condition}-withdrawn")
    assert who.try_to_sign_in(seat="another desk").code == f"{condition}-withdrawn"


def test_t40_another_role_stops_a_live_session_until_it_is_authorised(line: Line, child: str) -> None:
    who = enrolled(line, granted(line, "live-role", "practitioner", "E06000999"))
    who.sign_in()
    line.done("account", "assign-role", who.name, "--role", "social-worker")
    stopped(who, child, "authorisation-void")


def test_t43_where_an_organisation_is_another_its_live_sessions_stop(new_home: NewHome) -> None:
    line = new_home()
    child = born(line, a_child())
    who = enrolled(line, "teacher")
    who.sign_in()
    looks(who, child)
    line.done("organisation", "alter", "DFE9999999", "--what", "ownership")
    stopped(who, child, "accreditation-void")
    line.done("organisation", "condition", "DFE9999999", "accreditation")
    looks(who, child)


def ends(*words: str) -> Callable[[Line, str], None]:
    def do(line: Line, name: str) -> None:
        verb, *rest = words
        line.done("account", verb, name, *rest)

    return do


@pytest.mark.parametrize(
    "end",
    [
        ends("suspend", "--reason", "misuse-suspected"),
        ends("withdraw-condition", "authenticator", "--reason", "authenticator-lost"),
    ],
    ids=["suspended", "authenticator lost"],
)
def test_a_session_that_was_ended_is_not_revived_by_what_undoes_its_cause(
    line: Line, child: str, end: Callable[[Line, str], None], request: pytest.FixtureRequest
) -> None:
    name = granted(line, f"ended-{'-'.join(request.node.callspec.id.split())}")
    who = enrolled(line, name)
    who.sign_in()
    end(line, name)
    if "suspended" in request.node.callspec.id:
        assert who.try_to_sign_in().code == "account-suspended"
        line.done("account", "reinstate", name, "--reason", "investigation-ended")
    else:
        record(line, name, "authenticator", line.clock.date(), "--reference", f"K-{name}")
        assert who.try_to_sign_in().code == "sign-in-refused", "what was lost is deleted"
    stopped(who, child, "session-ended")


def test_a_suspended_session_is_void_by_the_log_alone(line: Line, child: str) -> None:
    """Also where the program that suspends dies before it has deleted the row of the session."""
    who = enrolled(line, granted(line, "void-by-log"))
    began = who.sign_in()
    with line.as_superuser() as connection:
        row = connection.execute(
            "SELECT * FROM sign_in.session WHERE id = %s", (began["session"],)
        ).fetchone()
        line.done("account", "suspend", who.name, "--reason", "misuse-suspected")
        line.done("account", "reinstate", who.name, "--reason", "investigation-ended")
        assert row is not None
        connection.execute(b"INSERT INTO sign_in.session VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", row)
    stopped(who, child, "session-ended")
    assert newest(line, who.name) == ("sign-in", "refused", "session-revoked")


def test_an_authenticator_is_the_one_the_log_says_whatever_row_is_there(line: Line) -> None:
    """Also where the program that takes it back dies before it has deleted the row."""
    who = enrolled(line, granted(line, "row-left-behind"))
    with line.as_superuser() as connection:
        account = line.done("account", "show", who.name)["account"]
        found = b"SELECT * FROM sign_in.authenticator WHERE account = %s"
        row = connection.execute(found, (account,)).fetchone()
        assert row is not None
        line.done(
            "account", "withdraw-condition", who.name, "authenticator", "--reason", "authenticator-lost"
        )
        connection.execute(b"INSERT INTO sign_in.authenticator VALUES (%s, %s, %s, %s)", row)
    assert who.try_to_sign_in().code == "sign-in-refused", "taken back"
    assert newest(line, who.name) == ("sign-in", "refused", "authenticator-unregistered")
    record(line, who.name, "authenticator", line.clock.date(), "--reference", "K-another")
    assert who.try_to_sign_in(seat="another desk").code == "sign-in-refused", "another is registered"


def test_an_account_that_has_ended_signs_in_no_more(line: Line, child: str) -> None:
    who = enrolled(line, granted(line, "leaver"))
    who.sign_in()
    line.done("account", "end", who.name, "--reason", "left")
    stopped(who, child, "session-ended")
    assert who.try_to_sign_in().code == "sign-in-refused"


# How long


def test_a_session_lapses_when_it_is_not_used(line: Line, child: str) -> None:
    who = enrolled(line, granted(line, "idle"))
    who.sign_in()
    line.clock += timedelta(minutes=14)
    looks(who, child)
    line.clock += timedelta(minutes=14)
    looks(who, child)
    line.clock += timedelta(minutes=15)
    stopped(who, child, "session-ended")
    assert newest(line, who.name) == ("sign-in", "refused", "session-lapsed")


def test_a_session_lapses_however_busy_after_ten_hours(new_home: NewHome) -> None:
    line = new_home()
    child = born(line, a_child())
    who = enrolled(line, "practitioner")
    who.sign_in()
    began = line.clock
    while line.clock < began + timedelta(hours=10) - timedelta(minutes=14):
        line.clock += timedelta(minutes=14)
        looks(who, child)
    line.clock = began + timedelta(hours=10)
    stopped(who, child, "session-ended")


# What was refused, and what it tells


def test_nothing_that_is_told_says_what_of_it_was_wrong(line: Line) -> None:
    right = enrolled(line, granted(line, "right"))
    nobody = Holder(line, "nobody-of-this-name", right.secret)
    without = Holder(line, granted(line, "without-authenticator"), right.secret)
    answers = []
    attempts: list[Callable[[], Answer]] = [
        lambda: right.try_to_sign_in(password="wrong but long enough"),
        lambda: right.try_to_sign_in(code="000000"),
        lambda: right.try_to_sign_in(code="no code"),
        lambda: right.try_to_sign_in(password="wrong but long enough", code="000000"),
        nobody.try_to_sign_in,
        without.try_to_sign_in,
    ]
    for attempt in attempts:
        before = line.heads()
        answers.append(attempt())
        assert line.heads() == (before[0], before[1] + 1), "on record before it is told"
    assert len({(answer.status, answer.printed) for answer in answers}) == 1, answers
    assert answers[0].code == "sign-in-refused"
    assert newest(line, right.name) == ("sign-in", "refused", "not-proved")
    refusals = {one["reason"] for one in line.done("audit", "refusals")["entries"]}
    assert "not-proved" in refusals


def test_refused_sign_ins_are_taken_out_as_fhir_with_the_others(line: Line) -> None:
    who = enrolled(line, granted(line, "taken-out"))
    who.try_to_sign_in(password="wrong but long enough")
    who.sign_in()
    Holder(line, "nobody-taken-out", who.secret).try_to_sign_in()
    file = line.file(b"").with_name("signed-in.ndjson")
    line.done("audit", "fhir", str(file))
    newest = [json.loads(text) for text in file.read_text("utf-8").splitlines()]
    for one in newest:
        AuditEvent.model_validate(one)
    tried = [one for one in newest if one["type"]["code"] == "110114"][:3]
    assert [one["outcome"] for one in tried] == ["4", "0", "4"]
    assert {one["subtype"][0]["code"] for one in tried} == {"110122"}
    account = line.done("account", "show", who.name)["account"]
    assert "who" not in tried[0]["agent"][0]
    assert tried[2]["agent"][0]["who"]["identifier"]["value"] == account
    assert "nobody-taken-out" not in file.read_text("utf-8")


def test_a_name_that_was_typed_is_not_kept_where_it_is_nobodys(line: Line) -> None:
    """People type passwords in its place."""
    typed = "seven-brass-otters"
    assert Holder(line, typed, "A" * 32).try_to_sign_in().code == "sign-in-refused"
    with line.as_superuser() as connection:
        for table in ("attempt", "session", "device"):
            rows = connection.execute(f"SELECT t::text FROM sign_in.{table} AS t".encode()).fetchall()
            assert not [row for row in rows if typed in row[0] or typed.encode().hex() in row[0]]


def test_a_code_is_good_once(line: Line) -> None:
    who = enrolled(line, granted(line, "once"))
    code = who.code()
    assert who.try_to_sign_in(code=code).status == 0
    assert who.try_to_sign_in(code=code, seat="another desk").code == "sign-in-refused"
    assert newest(line, who.name) == ("sign-in", "refused", "code-used")
    earlier = code_of(who.secret, who.used - 1)
    assert who.try_to_sign_in(code=earlier, seat="another desk").code == "sign-in-refused"


def test_tries_must_wait_and_come_to_an_end_but_not_on_a_known_device(line: Line) -> None:
    who = enrolled(line, granted(line, "tried"))
    who.sign_in()  # on their own device, which is known from now on
    who.done("sign-out")
    code = who.code()
    for wait in (0, 0, 0, 0, 1, 2, 4, 8):
        wrong = who.try_to_sign_in(password="wrong but long enough", code=code, seat="attacker")
        assert wrong.code == "sign-in-refused"
        if wait:
            early = who.try_to_sign_in(code=code, seat="attacker")
            assert early.code == "too-many-tries", "also with what is right"
            assert newest(line, who.name)[2] == "too-many-tries"
        if wait < 8:
            line.clock += timedelta(seconds=wait)

    assert who.try_to_sign_in(code=code).status == 0, "the true holder is not locked out"


def test_after_a_hundred_failures_only_a_known_device_is_asked_until_somebody_acted(line: Line) -> None:
    who = enrolled(line, granted(line, "besieged"))
    who.sign_in()
    who.done("sign-out")
    assert who.try_to_sign_in(password="wrong but long enough", seat="attacker").code == "sign-in-refused"
    with line.as_superuser() as connection:  # a hundred tries take a day and more
        changed = connection.execute("UPDATE sign_in.attempt SET failures = 100").rowcount
    assert changed >= 2
    line.clock += timedelta(days=2)
    assert who.try_to_sign_in(seat="attacker").code == "too-many-tries"
    who.sign_in()
    line.clock += timedelta(minutes=15)  # the attacker's place waits still, and this is the same
    assert who.try_to_sign_in(seat="a new device").status == 0, (
        "the holder came in, so others are asked again"
    )


def test_tries_of_a_name_that_is_nobodys_wait_alike(line: Line) -> None:
    nobody = Holder(line, "nobody-is-tried", "A" * 32)
    codes = [nobody.try_to_sign_in(code="000000").code for _ in range(7)]
    assert codes == ["sign-in-refused"] * 5 + ["too-many-tries"] * 2


def test_step_up_waits_too_and_its_refusal_is_on_record(line: Line) -> None:
    who = enrolled(line, granted(line, "steps-up"))
    who.sign_in()
    for _ in range(5):
        line.refused("step-up-refused", "session", "step-up", "--stdin", typed=("000000",), seat=who.name)
    assert newest(line, who.name) == ("step-up", "refused", "step-up-refused")
    line.refused("too-many-tries", "session", "step-up", "--stdin", typed=("000000",), seat=who.name)
    line.clock += timedelta(seconds=2)
    who.step_up()


# One's own sessions


def test_sessions_are_listed_and_ended_by_their_holder_alone(line: Line, child: str) -> None:
    who, other = enrolled(line, granted(line, "two-desks")), enrolled(line, granted(line, "somebody-else"))
    here, there = who.sign_in(), who.sign_in(seat="left open")
    other.sign_in()
    listed = who.done("session", "list")["sessions"]
    assert [(one["session"], one["this_one"]) for one in listed] == [
        (here["session"], True),
        (there["session"], False),
    ]
    other.refused("not-found", "session", "end", there["session"])
    who.done("session", "end", there["session"])
    line.refused("session-ended", "show", child, "--reason", "casework", seat="left open")
    looks(who, child)
    assert len(who.done("session", "list")["sessions"]) == 1


def test_another_token_is_good_after_a_step_up(line: Line, child: str) -> None:
    who = enrolled(line, granted(line, "rotates"))
    who.sign_in()
    (kept,) = (line.home.with_name(f"{line.home.name}-state") / who.name).iterdir()
    stolen = kept.read_bytes()
    who.step_up()
    looks(who, child)
    fresh = kept.read_bytes()
    assert stolen != fresh
    kept.write_bytes(stolen)
    stopped(who, child, "session-ended")
    kept.write_bytes(fresh)
    looks(who, child)


def test_the_token_is_kept_where_nobody_else_reads_it(line: Line, child: str) -> None:
    who = enrolled(line, granted(line, "careful"))
    who.sign_in()
    folder = line.home.with_name(f"{line.home.name}-state") / who.name
    (kept,) = folder.iterdir()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    kept.chmod(0o644)
    who.refused("session-exposed", "show", child, "--reason", "casework", status=2)
    kept.chmod(0o600)
    looks(who, child)
    kept.symlink_to(kept.rename(kept.with_name("aside")))
    who.refused("session-not-kept", "show", child, "--reason", "casework", status=3)


def test_another_password_ends_every_session_and_the_old_one_is_good_no_more(line: Line, child: str) -> None:
    who = enrolled(line, granted(line, "changes-password"))
    who.sign_in()
    who.sign_in(seat="left open")
    for typed, code in (
        ((who.password, "000000", ANOTHER_PASSWORD), "step-up-refused"),
        (("not the present one", who.code(), ANOTHER_PASSWORD), "step-up-refused"),
        ((who.password, who.code(), "short"), "password-length"),
        ((who.password, who.code(), "aaaaaaaaaaaaaaaa"), "password-weak"),
        ((who.password, who.code(), "changes-password1"), "password-weak"),
    ):
        line.refused(
            code, "session", "password", "--stdin", typed=typed, seat=who.name,
            status=1 if code == "step-up-refused" else 2,
        )  # fmt: skip
    line.done(
        "session", "password", "--stdin", typed=(who.password, who.code(), ANOTHER_PASSWORD), seat=who.name
    )
    line.refused("session-ended", "show", child, "--reason", "casework", seat="left open")
    assert who.try_to_sign_in().code == "sign-in-refused"
    who.password = ANOTHER_PASSWORD
    who.sign_in()


# Registering


def test_registering_makes_the_condition_hold_and_taking_it_away_takes_it_back(
    line: Line, child: str
) -> None:
    name = "newcomer"
    line.done("account", "grant", name, "--role", "practitioner", "--organisation", "NHS", "--holder", name)
    for condition in ("authorisation", "check", "training", "agreement"):
        record(line, name, condition, line.clock.date())
    assert line.done("account", "show", name)["refusals"] == ["authenticator-missing"]
    issued = line.done("account", "authenticator", name)
    assert line.done("account", "show", name)["refusals"] == ["authenticator-missing"], (
        "issued is not registered"
    )

    who = Holder(line, name).enrol(issued["enrolment"])

    shown = line.done("account", "show", name)
    assert (shown["let_in"], shown["refusals"]) == (True, [])
    assert [one["event"] for one in shown["history"][:2]] == ["account-condition-met", "enrolment-issued"]
    assert shown["history"][0]["account_name"] == "account-manager", "on whose word it was registered"
    who.sign_in()
    looks(who, child)
    line.done("account", "withdraw-condition", name, "authenticator", "--reason", "authenticator-lost")
    assert line.done("account", "show", name)["refusals"] == ["authenticator-withdrawn"]
    assert who.try_to_sign_in().code == "sign-in-refused"
    with line.as_superuser() as connection:
        account = shown["account"]
        for table in ("authenticator", "enrolment", "session", "device"):
            query = f"SELECT count(*) FROM sign_in.{table} WHERE account = %s".encode()
            assert connection.execute(query, (account,)).fetchone() == (0,), table


def test_what_was_lost_is_replaced_on_a_managers_word_and_is_good_no_more(line: Line, child: str) -> None:
    lost = enrolled(line, granted(line, "loses-it"))
    lost.sign_in()
    found = Holder(line, "loses-it", password=ANOTHER_PASSWORD)
    found.enrol(line.done("account", "authenticator", "loses-it")["enrolment"])
    stopped(lost, child, "session-ended")
    assert lost.try_to_sign_in().code == "sign-in-refused"
    found.used += 1
    found.sign_in()


def test_an_enrolment_is_good_once_for_one_account_and_for_three_days(new_home: NewHome) -> None:
    line = new_home()

    def issue(name: str) -> str:
        return str(line.done("account", "authenticator", name)["enrolment"])

    def begin(name: str, code: str) -> Answer:
        return line("enrol", "begin", name, "--stdin", typed=(code,))

    first, second = issue("teacher"), issue("teacher")
    assert begin("teacher", first).code == "enrolment-refused", "another was issued in its place"
    assert begin("practitioner", second).code == "enrolment-refused"
    assert begin("nobody-at-all", second).code == "enrolment-refused"
    assert begin("teacher", second.lower().replace("-", " ")).status == 0, "as it is written or read out"
    Holder(line, "teacher").enrol(second)
    assert begin("teacher", second).code == "enrolment-refused"
    third = issue("teacher")
    line.clock += timedelta(hours=72)
    assert begin("teacher", third).code == "enrolment-refused"
    refused = [one["reason"] for one in line.done("audit", "refusals")["entries"]]
    assert "enrolment-refused" in refused


def test_whoever_kept_the_enrolment_does_not_learn_the_secret_that_was_registered(line: Line) -> None:
    """An account manager who has the code sees no secret of the holder's: each begin makes another."""
    enrolment = line.done("account", "authenticator", granted(line, "watched"))["enrolment"]
    kept = line.done("enrol", "begin", "watched", "--stdin", typed=(enrolment,))["secret"]
    who = Holder(line, "watched").enrol(enrolment)
    assert who.secret != kept
    who.used += 1
    assert Holder(line, "watched", kept, used=who.used).try_to_sign_in().code == "sign-in-refused"


def test_completing_needs_a_password_and_a_code_that_the_device_shows(line: Line) -> None:
    enrolment = line.done("account", "authenticator", granted(line, "in-steps"))["enrolment"]
    complete = ("enrol", "complete", "in-steps", "--stdin")
    line.refused("enrolment-not-begun", *complete, typed=(enrolment, "x" * 20, "123456"), status=2)
    secret = line.done("enrol", "begin", "in-steps", "--stdin", typed=(enrolment,))["secret"]
    who = Holder(line, "in-steps", secret)
    line.refused("password-length", *complete, typed=(enrolment, "too short", who.code()), status=2)
    line.refused("code-not-right", *complete, typed=(enrolment, who.password, "000000"), status=2)
    assert (
        "authenticator-missing" not in line.done("account", "show", "in-steps")["refusals"]
    )  # `granted` met it
    line.done(*complete, typed=(enrolment, who.password, who.code()))
    who.sign_in()


def test_nobody_lets_themselves_register_nor_anybody_beyond_their_reach(line: Line) -> None:
    line.refused("own-account", "account", "authenticator", "account-manager", acting="account-manager")
    for acting in ("practitioner", "operator", "auditor", "data-manager"):
        line.refused("right-not-held", "account", "authenticator", "teacher", acting=acting)
    mine = granted(line, "council-enrols", "account-manager", "E06000999")
    line.refused("not-found", "account", "authenticator", "auditor", acting=mine)
    assert line.done("account", "authenticator", "account-manager", acting="account-manager-2")["enrolment"]


# Tokens of a training home


def test_a_training_home_gives_a_token_away_that_is_a_session(line: Line, child: str) -> None:
    answer = line.done("account", "token", "practitioner")
    with open_app(line.home, line.settings) as app:
        viewer = app.viewer(SessionToken(answer["token"]))
        assert viewer.session is not None
        assert str(viewer.session.session_id) == answer["session"]
        assert viewer.session.proved_at is None, "nothing was proved"
    assert newest(line, "practitioner") == ("sign-in", "granted", "signed-in")
    line.refused("not-found", "account", "token", "nobody-at-all")
    line.refused("right-not-held", "account", "token", "teacher", acting="operator")
    suspended = granted(line, "no-token")
    line.done("account", "suspend", suspended, "--reason", "misuse-suspected")
    line.refused("account-suspended", "account", "token", suspended)


# Backups


def test_a_restored_home_is_signed_in_to_by_what_was_registered_and_nobody_is_in_it(
    new_home: NewHome, restored: Restored
) -> None:
    line = new_home()
    who = enrolled(line, "practitioner")
    who.sign_in()
    issued = line.done("account", "authenticator", "teacher")["enrolment"]

    other = restored(line)

    with other.as_superuser() as connection:
        for table in ("session", "enrolment", "attempt", "device"):
            assert connection.execute(f"SELECT count(*) FROM sign_in.{table}".encode()).fetchone() == (0,)
    again = Holder(other, who.name, who.secret, used=who.used)
    again.sign_in()
    assert other("enrol", "begin", "teacher", "--stdin", typed=(issued,)).code == "enrolment-refused"


# Failing closed, and secrets


def test_where_the_access_log_cannot_be_written_nobody_is_signed_in(new_home: NewHome) -> None:
    line = new_home()
    who = enrolled(line, "practitioner")
    with line.as_superuser() as connection:
        connection.execute(
            "REVOKE EXECUTE ON FUNCTION access_log.append, access_log.append_one FROM contactpoint_service"
        )
        refused = who.try_to_sign_in()
        wrong = who.try_to_sign_in(password="wrong but long enough", seat="another desk")
        sessions = connection.execute("SELECT count(*) FROM sign_in.session").fetchone()
    assert {(one.status, one.code) for one in (refused, wrong)} == {(3, "audit-unavailable")}
    assert sessions == (0,)
    assert not (line.home.with_name(f"{line.home.name}-state") / who.name).exists()


def test_no_secret_is_in_the_database_or_in_what_is_printed(line: Line) -> None:
    who = enrolled(line, granted(line, "secretive"))
    printed = who.try_to_sign_in().printed
    (kept,) = (line.home.with_name(f"{line.home.name}-state") / who.name).iterdir()
    said = json.loads(kept.read_text("utf-8"))
    raw = b32decode(who.secret)
    secrets = {who.password, who.secret, raw.hex(), b64encode(raw).decode(), said["token"], said["device"]}
    assert not [one for one in secrets if one in printed]
    for database in ("record", "keyring"):
        with line.as_superuser(database) as connection:
            everything = _everything(connection)
            hexed = {one.encode().hex() for one in secrets}
            assert not [one for one in secrets | hexed if one in everything]
            assert "argon2" not in everything


def _everything(connection: psycopg.Connection[tuple[object, ...]]) -> str:
    tables = connection.execute(
        "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
        "WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"
    ).fetchall()
    rows = [
        str(row[0])
        for (table,) in tables
        for row in connection.execute(f"SELECT t::text FROM {table} AS t".encode()).fetchall()
    ]
    return "\n".join(rows)


def test_secrets_are_typed_at_a_terminal_or_said_to_come_on_standard_input(line: Line) -> None:
    line.refused("no-terminal", "sign-in", "teacher", status=2)
    line.refused("no-input", "sign-in", "teacher", "--stdin", typed=("only one line",), status=2)
    for command in (("enrol", "begin", "teacher"), ("enrol", "complete", "teacher")):
        line.refused("no-terminal", *command, status=2)
    for own in (("session", "step-up"), ("session", "password")):
        line.refused("session-ended", *own, "--stdin")
