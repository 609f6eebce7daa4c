"""D. Access: T39, T40, T42, T43, T48. Nobody is let in unless every condition holds at that instant.

Conditions of the ready-made accounts are made up and last; those of accounts that are granted here lapse by the rules.
"""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.acceptance.command_lines import COMMANDS, words_of
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Json, Line
from tests.acceptance.people import a_child, born
from tests.acceptance.test_rules import PRESENT, a_file, adopted

pytestmark = pytest.mark.postgres

TODAY = date(2027, 3, 10)
CONDITIONS = ("authorisation", "check", "training", "agreement", "authenticator")
_AUTHENTICATORS = iter(f"K-{number}" for number in range(1, 1000))
_HOLDERS = iter(f"S-{number}" for number in range(1, 1000))


def granted(
    line: Line,
    name: str,
    role: str = "practitioner",
    organisation: str = "NHS",
    *options: str,
    acting: str | None = None,
    **met_on: date,
) -> str:
    """An account with every condition on record, each met today unless another day is named."""
    line.done(
        "account", "grant", name, "--role", role, "--organisation", organisation, "--holder", next(_HOLDERS), *options,
        acting=acting,
    )  # fmt: skip
    for condition in CONDITIONS:
        own = ("--reference", next(_AUTHENTICATORS)) if condition == "authenticator" else ()
        record(line, name, condition, met_on.get(condition, line.clock.date()), *own, acting=acting)
    return name


def record(line: Line, name: str, condition: str, on: date, *options: str, acting: str | None = None) -> Json:
    return line.done("account", "condition", name, condition, "--on", on.isoformat(), *options, acting=acting)


def at(line: Line, instant: str) -> None:
    line.clock = datetime.fromisoformat(instant).astimezone(UTC)


def seen(line: Line, child: str, name: str) -> None:
    assert line.show(child, acting=name)["record"]["child_id"] == child


def shut_out(line: Line, child: str, name: str, code: str) -> None:
    refused = line.refused(code, "show", child, "--reason", "casework", acting=name)
    assert child not in refused.printed
    line.refused(code, "search", "--reason", "casework", "--name", "Quillby", acting=name)


def test_t39_an_enhanced_check_holds_until_it_is_three_years_old_at_midnight_in_london(
    new_home: NewHome,
) -> None:
    line = new_home()
    child = born(line, a_child())
    name = granted(line, "visitor", check=date(2024, 7, 1))
    seen(line, child, name)
    at(line, "2027-06-30T22:59:59.999990+00:00")  # summer time: a minute to midnight, nearly
    seen(line, child, name)

    at(line, "2027-06-30T23:00:00+00:00")
    shut_out(line, child, name, "check-lapsed")

    shown = record(line, name, "check", date(2027, 6, 30))
    assert (shown["let_in"], shown["refusals"]) == (True, [])
    seen(line, child, name)  # the same account
    assert [c["lapses_on"] for c in shown["conditions"] if c["condition"] == "check"] == ["2030-06-30"]


def test_t39_a_check_of_29_february_lapses_on_1_march(new_home: NewHome) -> None:
    line = new_home()
    child = born(line, a_child())
    at(line, "2028-02-29T12:00:00+00:00")
    for body in ("NHS", "ACCESS"):
        assert line.done("organisation", "show", body)["let_in"]
    name = granted(line, "visitor")
    at(line, "2031-02-28T23:59:59.999990+00:00")
    record(line, name, "training", date(2031, 2, 28))
    seen(line, child, name)
    at(line, "2031-03-01T00:00:00+00:00")
    shut_out(line, child, name, "check-lapsed")


@pytest.mark.parametrize("condition", CONDITIONS)
def test_t40_where_one_condition_is_taken_back_access_stops_with_it(line: Line, condition: str) -> None:
    child = born(line, a_child())
    name = granted(line, f"taken-{condition}")
    seen(line, child, name)

    line.done("account", "withdraw-condition", name, condition, "--reason", "requested-by-manager")

    shut_out(line, child, name, f"{condition}-withdrawn")
    own = ("--reference", next(_AUTHENTICATORS)) if condition == "authenticator" else ()
    record(line, name, condition, TODAY, *own)
    seen(line, child, name)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_t40_an_account_is_not_let_in_before_every_condition_is_on_record(line: Line, condition: str) -> None:
    child = born(line, a_child())
    name = f"before-{condition}"
    line.done("account", "grant", name, "--role", "teacher", "--organisation", "DFE9999999", "--holder", name)
    for each in CONDITIONS:
        if each != condition:
            own = ("--reference", next(_AUTHENTICATORS)) if each == "authenticator" else ()
            record(line, name, each, TODAY, *own)
    shut_out(line, child, name, f"{condition}-missing")


def test_t40_another_role_needs_another_authorisation(line: Line) -> None:
    child = born(line, a_child())
    name = granted(line, "mover", "practitioner", "E06000999")
    moved = line.done("account", "assign-role", name, "--role", "social-worker", "--override")
    assert (moved["role"], moved["refusals"]) == ("social-worker", ["authorisation-void"])
    shut_out(line, child, name, "authorisation-void")
    record(line, name, "authorisation", TODAY)
    seen(line, child, name)
    line.record("shield", child, "--ground", "crime", acting=name)
    opened = line.done("show", child, "--reason", "section-47", "--override", acting=name)
    assert opened["record"]["override"] is True


def test_t40_a_suspended_account_is_let_in_nowhere_until_it_is_reinstated(line: Line) -> None:
    child = born(line, a_child())
    name = granted(line, "paused")
    line.done("account", "suspend", name, "--reason", "misuse-suspected")
    shut_out(line, child, name, "account-suspended")
    line.done("account", "reinstate", name, "--reason", "investigation-ended")
    seen(line, child, name)
    line.done("account", "end", name, "--reason", "left")
    shut_out(line, child, name, "account-ended")
    line.refused("not-found", "account", "reinstate", name, "--reason", "investigation-ended")


@pytest.fixture(scope="module")
def suspended(new_home: NewHome) -> tuple[Line, str]:
    """A home in which every ready-made account but those of account managers is suspended, and a child."""
    line = new_home()
    child = born(line, a_child())
    line.done("account", "suspend", *WHO, "--reason", "misuse-suspected")
    return line, child


WHO = (
    "practitioner",
    "teacher",
    "social-worker",
    "data-manager",
    "auditor",
    "operator",
    "supplier",
    "key-holder",
)
ASK_NOBODY = {
    ("demo",), ("kafka",), ("population",),  # make homes or files of their own
    ("health",), ("init",), ("stop",), ("restore",), ("policy", "list"),  # tell of nobody, or come before any account
    ("seal",), ("witness",),  # programs with keys of their own, which show nothing
    ("sign-in",), ("sign-out",), ("enrol", "begin"), ("enrol", "complete"),  # come before anybody is let in
    ("session", "list"), ("session", "end"), ("session", "step-up"), ("session", "password"),
    ("session", "let-mediator"),  # one's own
    ("audit", "verify"),  # compares first: what was altered may be the account that asks; see test_seals
}  # fmt: skip


NEEDS_BESIDE: dict[tuple[str, ...], tuple[str, ...]] = {
    ("record", "correct"): ("--family", "Quillby"),
    ("queue", "decide"): ("--not-the-same",),
}


ASK = [path for path in COMMANDS if path not in ASK_NOBODY and path[0] != "bench"]


@pytest.mark.parametrize("path", ASK, ids=" ".join)
def test_t40_every_command_asks_whether_whoever_acts_is_let_in(
    suspended: tuple[Line, str], tmp_path_factory: pytest.TempPathFactory, path: tuple[str, ...]
) -> None:
    line, child = suspended
    command = COMMANDS[path]
    births = tmp_path_factory.getbasetemp() / "nothing"
    births.write_bytes(b"")
    acting = "practitioner" if path[0] in ("account", "organisation") else command.acting
    places = {"{child}": child, "{births}": str(births), "{folder}": str(births.with_name("backup"))}
    words = [places.get(word, word) for word in words_of(command)]
    words += NEEDS_BESIDE.get(path, ())
    before = line.heads()

    line.refused("account-suspended", *path, *words, acting=acting, second=command.second)

    changed, looked = line.heads()
    assert (changed, looked) == (before[0], before[1] + 1), "nothing is done, and the refusal is on record"


def test_t40_whoever_is_not_let_in_is_not_told_which_numbers_were_issued(suspended: tuple[Line, str]) -> None:
    line, child = suspended
    for who in (("audit", "who-saw"), ("audit", "changes"), ("show",)):
        reason = ("--reason", "audit" if who[0] == "audit" else "casework")
        acting = "auditor" if who[0] == "audit" else "practitioner"
        for asked in (child, "0" * 11):
            line.refused("account-suspended", *who, asked, *reason, acting=acting)


def test_t42_accounts_that_share_an_authenticator_are_both_suspended(line: Line) -> None:
    child = born(line, a_child())
    first, second = granted(line, "lender"), granted(line, "borrower")
    record(line, first, "authenticator", TODAY, "--reference", "TOKEN-7")
    seen(line, child, first)
    seen(line, child, second)

    line.refused(
        "authenticator-shared", "account", "condition", second, "authenticator", "--reference", "TOKEN-7"
    )

    for name in (first, second):
        shut_out(line, child, name, "account-suspended")
        entry = line.done("account", "show", name)["history"][0]
        assert (entry["event"], entry["reason"], entry["account_name"]) == (
            "account-suspended",
            "credentials-shared",
            "account-manager",
        )


def test_t42_accounts_used_together_are_suspended_together(line: Line) -> None:
    child = born(line, a_child())
    names = [granted(line, "one-of-two"), granted(line, "two-of-two")]
    line.done("account", "suspend", *names, "--reason", "credentials-shared")
    for name in names:
        shut_out(line, child, name, "account-suspended")


@pytest.mark.parametrize("what", [("name", "--name", "Marlbridge Academy"), ("ownership",), ("purpose",)])
def test_t43_an_organisation_that_is_another_is_accredited_no_longer(
    new_home: NewHome, what: tuple[str, ...]
) -> None:
    line = new_home()
    child = born(line, a_child())
    seen(line, child, "teacher")

    line.done("organisation", "alter", "DFE9999999", "--what", *what)

    shut_out(line, child, "teacher", "accreditation-void")
    seen(line, child, "practitioner")
    line.done("organisation", "condition", "DFE9999999", "accreditation")
    seen(line, child, "teacher")


def test_t43_nobody_of_an_organisation_that_is_not_accredited_is_let_in(line: Line) -> None:
    child = born(line, a_child())
    line.done(
        "organisation", "register", "NSPKIDS", "--name", "Kites for Children", "--kind", "national-partner"
    )
    name = granted(line, "kite", "reader", "NSPKIDS")
    shut_out(line, child, name, "accreditation-missing")
    line.done("organisation", "condition", "NSPKIDS", "security-attestation")
    line.done("organisation", "condition", "NSPKIDS", "accreditation")
    seen(line, child, name)
    line.done("organisation", "withdraw-condition", "NSPKIDS", "accreditation", "--reason", "misconduct")
    shut_out(line, child, name, "accreditation-withdrawn")
    line.done("organisation", "condition", "NSPKIDS", "accreditation")
    line.done("organisation", "suspend", "NSPKIDS", "--reason", "misuse-suspected")
    shut_out(line, child, name, "organisation-suspended")
    line.done("organisation", "reinstate", "NSPKIDS", "--reason", "investigation-ended")
    seen(line, child, name)
    line.done("organisation", "end", "NSPKIDS", "--reason", "organisation-ended")
    shut_out(line, child, name, "organisation-ended")


def test_t48_where_an_authoritys_attestation_lapses_its_people_are_shut_out_by_rule(
    new_home: NewHome,
) -> None:
    line = new_home()
    child = born(line, a_child())
    line.done("organisation", "condition", "E06000999", "security-attestation", "--on", "2026-10-31")
    at(line, "2027-10-30T22:59:59.999990+00:00")  # still summer time
    seen(line, child, "data-manager")

    at(line, "2027-10-30T23:00:00+00:00")  # 31 October in London, the day the clocks go back

    for name in ("data-manager", "social-worker"):
        shut_out(line, child, name, "security-attestation-lapsed")
    seen(line, child, "practitioner")
    line.done("organisation", "condition", "E06000999", "security-attestation")
    seen(line, child, "data-manager")


def test_t45_a_mediator_sees_what_the_caller_may_see_and_both_are_on_the_trail(line: Line) -> None:
    one = a_child()
    child = born(line, one)
    by_phone = ("--reason", "casework", "--on-behalf-of", "teacher")

    shown = line.done("show", child, *by_phone, acting="mediator")
    found = line.done("search", *one.criteria, *by_phone, acting="mediator")

    assert shown["record"] == line.shown(child, "teacher")
    assert found["results"] == line.found(*one.criteria, acting="teacher")
    ids = {name: line.done("account", "show", name)["account"] for name in ("mediator", "teacher")}
    for name in ids:
        entries = line.done("audit", "what-saw", name)["entries"]
        entry = next(entry for entry in entries if entry["access_id"] == shown["access_id"])
        assert (entry["account"], entry["on_behalf_of"]) == (ids["mediator"], ids["teacher"])
        assert (entry["role"], entry["children"]) == ("teacher", [child])
    again = line.done("audit", "replay", shown["access_id"])
    assert (again["as_displayed"], again["digest_matches"]) == (shown["record"], True)


def test_t45_a_mediator_without_a_caller_or_for_somebody_who_may_not_sees_nothing(line: Line) -> None:
    child = born(line, a_child())
    look = ("show", child, "--reason", "casework")
    line.refused("right-not-held", *look, acting="mediator")
    line.refused("right-not-held", *look, "--on-behalf-of", "operator", acting="mediator")
    line.refused("right-not-held", *look, "--on-behalf-of", "mediator", acting="teacher")
    line.refused("same-person", *look, "--on-behalf-of", "mediator", acting="mediator")
    line.refused("not-found", *look, "--on-behalf-of", "nobody", acting="mediator")
    line.refused("not-mediated", *look, "--override", "--on-behalf-of", "social-worker", acting="mediator")
    reason = ("--reason", "missing-education")
    line.refused(
        "reason-not-yours", "show", child, *reason, "--on-behalf-of", "practitioner", acting="mediator"
    )


def test_t45_every_condition_holds_of_mediator_and_caller(line: Line) -> None:
    child = born(line, a_child())
    caller = granted(line, "caller")
    mediator = granted(line, "helpdesk", "mediator", "E06000999")
    look = ("show", child, "--reason", "casework", "--on-behalf-of", caller)
    line.done(*look, acting=mediator)

    line.done("account", "withdraw-condition", caller, "authenticator", "--reason", "authenticator-lost")
    refused = line.refused("caller-not-admitted", *look, acting=mediator)
    assert "authenticator" not in refused.printed, "what does not hold of the caller is theirs to know"
    entry = line.done("audit", "what-saw", caller)["entries"][0]
    assert (entry["outcome"], entry["rule"]) == ("refused", "authenticator-withdrawn")

    record(line, caller, "authenticator", TODAY, "--reference", next(_AUTHENTICATORS))
    line.done("account", "withdraw-condition", mediator, "check", "--reason", "recorded-in-error")
    line.refused("check-withdrawn", *look, acting=mediator)
    entry = line.done("audit", "what-saw", mediator)["entries"][0]
    assert (entry["outcome"], entry["rule"]) == ("refused", "mediator-check-withdrawn")


COURT = ("--ground", "required-by-law", "--to", "Family Court at Marlbridge", "--reference", "FC-2027/11")


def test_t49_a_court_is_handed_what_it_asked_for_and_no_more_by_a_named_decider(line: Line) -> None:
    one = a_child()
    child = born(line, one, authority="E06000999")

    answer = line.done(
        "hand-over", child, *COURT, "--field", "name", "--field", "address", acting="data-manager"
    )

    assert set(answer["handed_over"]) == {"name", "address"}
    assert answer["handed_over"] == {
        key: value for key, value in line.shown(child, "data-manager").items() if key in ("name", "address")
    }
    entry = line.done("audit", "who-saw", child)["entries"][1]
    assert (entry["account_name"], entry["action"], entry["rule"], set(entry["fields"])) == (
        "data-manager",
        "hand-over",
        "required-by-law",
        {"name", "address"},
    )
    again = line.done("audit", "replay", answer["access_id"])
    assert (again["as_displayed"], again["digest_matches"]) == (answer["handed_over"], True)


def test_t49_of_a_shielded_record_two_people_decide(line: Line) -> None:
    one = a_child()
    child = born(line, one, authority="E06000999")
    before = line.done("hand-over", child, *COURT, "--field", "address", acting="data-manager")
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    asked = ("hand-over", child, *COURT, "--field", "address")

    refused = line.refused("two-people-needed", *asked, acting="data-manager")
    assert one.postcode not in refused.printed
    line.refused("same-person", *asked, acting="data-manager", second="data-manager")
    line.refused("right-not-held", *asked, acting="data-manager", second="social-worker")
    answer = line.done(*asked, acting="data-manager", second="data-manager-2")

    assert answer["handed_over"]["address"]["postcode"] == one.postcode
    for handed_over in (before, answer):
        access = handed_over["access_id"]
        line.refused("two-people-needed", "audit", "replay", access)
        again = line.done("audit", "replay", access, acting="auditor", second="auditor-2")
        assert (again["as_displayed"], again["digest_matches"]) == (handed_over["handed_over"], True)


def test_t49_nobody_but_the_responsible_authority_decides_and_no_other_ground_will_do(line: Line) -> None:
    child = born(line, a_child(), authority="E06000999")
    one_fact = ("--field", "address")
    for acting in ("practitioner", "social-worker", "auditor", "operator", "account-manager"):
        line.refused("right-not-held", "hand-over", child, *COURT, *one_fact, acting=acting)
    line.done("organisation", "register", "E06000998", "--name", "Stow Council", "--kind", "local-authority")
    for condition in ("accreditation", "security-attestation"):
        line.done("organisation", "condition", "E06000998", condition)
    other = granted(line, "stow-manager", "data-manager", "E06000998", "--area", "E06000998")
    line.refused("not-found", "hand-over", child, *COURT, *one_fact, acting=other)
    line.refused(
        "unknown-ground", "hand-over", child, "--ground", "curiosity", "--to", "Daily Paper", *one_fact,
        acting="data-manager", status=2,
    )  # fmt: skip
    line.refused(
        "unknown-field", "hand-over", child, *COURT, "--field", "shields", acting="data-manager", status=2
    )


def test_t49_a_security_service_has_no_account(line: Line) -> None:
    line.refused(
        "unknown-kind",
        "organisation",
        "register",
        "SIS",
        "--name",
        "A service",
        "--kind",
        "intelligence",
        status=2,
    )


# Who says who may look


def test_an_account_manager_sees_no_record_and_does_nothing_else(line: Line) -> None:
    child = born(line, a_child())
    for words in (
        ("show", child, "--reason", "casework"),
        ("search", "--reason", "casework", "--name", "Quillby"),
        ("audit", "who-saw", child),
        ("audit", "refusals"),
        ("load", "births", str(line.file(b""))),
        ("retention", "due"),
        ("projection", "status"),
        ("queue", "list"),
        ("record", "shield", child, "--ground", "crime"),
    ):
        line.refused("right-not-held", *words, acting="account-manager")


@pytest.mark.parametrize("acting", [name for name in WHO if name != "account-manager"])
def test_nobody_else_says_who_may_look(line: Line, acting: str) -> None:
    for words in (("account", "list"), ("account", "show", "teacher"), ("organisation", "list")):
        line.refused("right-not-held", *words, acting=acting)


def test_an_account_manager_decides_nothing_about_themselves(line: Line) -> None:
    for words in (
        ("suspend", "account-manager", "--reason", "left"),
        ("condition", "account-manager", "check"),
        ("assign-role", "account-manager", "--role", "auditor"),
    ):
        line.refused("own-account", "account", *words, acting="account-manager")
    line.refused("own-organisation", "organisation", "condition", "ACCESS", "accreditation")
    assert line.done("account", "condition", "account-manager", "check", acting="account-manager-2")["let_in"]


def test_an_authoritys_account_manager_reaches_people_of_its_area_and_nobody_else(line: Line) -> None:
    mine = granted(line, "council-accounts", "account-manager", "E06000999")
    granted(line, "local-nurse", "practitioner", "NHS", acting=mine)
    names = {one["name"] for one in line.done("account", "list", acting=mine)["accounts"]}
    assert {"local-nurse", "data-manager", mine} <= names
    assert not {"auditor", "operator", "account-manager"} & names
    line.refused("not-found", "account", "show", "auditor", acting=mine)
    line.refused("not-found", "account", "suspend", "operator", "--reason", "left", acting=mine)
    line.refused(
        "not-yours-to-grant", "account", "grant", "far-nurse", "--role", "practitioner", "--organisation", "NHS",
        "--holder", "1", "--area", "E06000998", acting=mine,
    )  # fmt: skip
    line.refused("not-yours-to-accredit", "organisation", "condition", "NHS", "accreditation", acting=mine)
    for role, organisation in (("auditor", "AUDIT"), ("operator", "INDEX")):
        line.refused(
            "not-yours-to-grant", "account", "grant", f"my-{role}", "--role", role, "--organisation", organisation,
            "--holder", "1", acting=mine,
        )  # fmt: skip


def test_nobody_has_two_of_the_duties_that_exclude_each_other(line: Line) -> None:
    first = ("--organisation", "E06000999", "--holder", "S-both")
    line.done("account", "grant", "manages-data", "--role", "data-manager", *first)
    line.refused(
        "duties-conflict", "account", "grant", "manages-accounts", "--role", "account-manager", *first
    )
    runs = ("--organisation", "INDEX", "--holder", "S-runs")
    line.done("account", "grant", "runs-it", "--role", "operator", *runs)
    for role in ("key-holder", "supplier"):
        line.refused("duties-conflict", "account", "grant", f"also-{role}", "--role", role, *runs)


def test_whoever_runs_the_index_does_not_keep_its_keys_nor_the_other_way_round(line: Line) -> None:
    for verb in ("rotate", "sweep"):
        line.refused("right-not-held", "keys", verb, acting="operator")
    assert line.done("keys", "sweep", acting="key-holder")["removed"] == 0
    for words in (("retention", "run"), ("projection", "status"), ("audit", "refusals"), ("account", "list")):
        line.refused("right-not-held", *words, acting="key-holder")


def test_two_accounts_of_one_person_do_not_lift_a_shield(line: Line) -> None:
    child = born(line, a_child())
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    granted(line, "manager-a", "data-manager", "E06000999")
    lapsed = granted(line, "manager-b", "data-manager", "E06000999")
    line.done("account", "withdraw-condition", lapsed, "training", "--reason", "recorded-in-error")
    refused = line.refused(
        "second-not-admitted", "record", "lift-shield", child, acting="manager-a", second=lapsed
    )
    assert "train" not in refused.printed
    record(line, lapsed, "training", TODAY)
    line.done("record", "lift-shield", child, acting="manager-a", second=lapsed)


def test_accounts_and_organisations_are_listed_a_page_at_a_time(line: Line) -> None:
    for noun, key in (("account", "name"), ("organisation", "body")):
        whole = [one[key] for one in line.done(noun, "list", "--limit", "200")[f"{noun}s"]]
        pages: list[str] = []
        after: tuple[str, ...] = ()
        while True:
            page = line.done(noun, "list", "--limit", "2", *after)
            pages += [one[key] for one in page[f"{noun}s"]]
            if not page["more"]:
                break
            after = ("--after", page["next"])
        assert pages == whole == sorted(whole)
    only = line.done("account", "list", "--organisation", "AUDIT")["accounts"]
    assert [one["name"] for one in only] == ["auditor", "auditor-2"]


def test_ready_made_accounts_say_that_their_conditions_are_made_up(line: Line) -> None:
    shown = line.done("account", "show", "auditor-2")
    assert shown["let_in"] is True
    assert all(one["made_up"] for one in shown["conditions"])


def test_what_an_account_manager_took_back_is_not_made_up_again(new_home: NewHome) -> None:
    line = new_home()
    line.done("account", "withdraw-condition", "teacher", "check", "--reason", "recorded-in-error")
    line.done("account", "suspend", "practitioner", "--reason", "misuse-suspected")
    before = line.heads()
    line.done("init", "--training")
    assert line.heads() == before
    assert line.done("account", "show", "teacher")["refusals"] == ["check-withdrawn"]


def test_a_home_whose_rules_do_not_know_a_role_is_brought_up_to_date_without_it(new_home: NewHome) -> None:
    """As one is that adopted its rules before there was the role."""
    line = new_home()
    begins = date(2027, 4, 1)
    role = next(part for part in PRESENT.split("\n\n") if part.startswith("[roles.key-holder]"))
    without = {role: "", '"operator", "key-holder",': '"operator",'}
    adopted(line, a_file(line, "as-before", begins, None, without))
    at(line, "2027-04-02T09:00:00+00:00")
    line.done("init", "--training")
    line.refused("right-not-held", "keys", "rotate", acting="operator")
    line.refused("role-unknown", "keys", "rotate", acting="key-holder")
    assert line.done("account", "show", "teacher")["refusals"] == []


# The register of refusals


def test_refusals_are_counted_by_reason_organisation_role_and_day_and_tell_nothing_else(
    new_home: NewHome,
) -> None:
    line = new_home()
    one = a_child()
    child = born(line, one)
    hidden = born(line, a_child())
    line.record("shield", hidden, "--ground", "crime", acting="social-worker")
    name = granted(line, "visitor")
    line.done("account", "suspend", name, "--reason", "misuse-suspected")
    for _ in range(2):
        line.refused("account-suspended", "show", child, "--reason", "casework", acting=name)
    line.refused("account-suspended", "show", hidden, "--reason", "casework", acting=name)
    line.clock += timedelta(days=1)
    line.refused("account-suspended", "search", "--reason", "casework", *one.criteria, acting=name)
    line.refused("right-not-held", "search", "--reason", "casework", *one.criteria, acting="operator")

    answer = line("audit", "refusals")

    counted = [
        (entry["day"], entry["reason"], entry["role"], entry["body"], entry["count"])
        for entry in answer["entries"]
    ]
    assert counted == [
        ("2027-03-11", "account-suspended", "practitioner", "NHS", 1),
        ("2027-03-11", "right-not-held", "operator", "INDEX", 1),
        ("2027-03-10", "account-suspended", "practitioner", None, 1),  # at a shielded record
        ("2027-03-10", "account-suspended", "practitioner", "NHS", 2),
    ]
    account = line.done("account", "show", name)["account"]
    for told in (child, hidden, one.family, name, account, "search", "show"):
        assert told not in answer.line
    assert set(answer["entries"][0]) == {"day", "reason", "role", "organisation", "body", "count"}
    assert line.done("audit", "what-saw", "auditor")["entries"][0]["action"] == "refusals", "itself an access"

    only = line.done("audit", "refusals", "--since", "2027-03-10", "--until", "2027-03-10")["entries"]
    assert {entry["day"] for entry in only} == {"2027-03-10"}
    assert line.done("audit", "refusals", "--limit", "1")["more"] is True
    for acting in ("operator", "data-manager", "practitioner"):
        line.refused("right-not-held", "audit", "refusals", acting=acting)
