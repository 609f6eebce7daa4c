"""How looks are watched: T32 (no reader before go-live), T36, T41, T44, T47. A person looks into what is flagged.

Of ready-made accounts, which are nobody's, no looks are counted; those that are granted here are somebody's.
"""

import io
from contextlib import chdir, redirect_stderr, redirect_stdout
from datetime import timedelta
from pathlib import Path

import pytest

from cli.main import status_of
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Json, Line
from tests.acceptance.people import Child, a_child, born
from tests.acceptance.test_access import granted
from tests.acceptance.test_shields import SHOWN_OF_A_SHIELDED_CHILD

pytestmark = pytest.mark.postgres

READERS = ("practitioner", "teacher", "social-worker", "reader")
NEW = "E06000998"


def investigations(line: Line, *options: str, acting: str | None = None) -> list[Json]:
    found = line.done("investigation", "list", *options, acting=acting)["investigations"]
    assert isinstance(found, list)
    return found


def about(line: Line, name: str) -> list[Json]:
    return [one for one in investigations(line) if one["account"] == name]


# T32


def a_new_authority(line: Line) -> str:
    """A data manager of an authority that has signed off nothing yet."""
    line.done("organisation", "register", NEW, "--name", "Stow Council", "--kind", "local-authority")
    for condition in ("accreditation", "security-attestation"):
        line.done("organisation", "condition", NEW, condition)
    return granted(line, "stow-manager", "data-manager", NEW, "--area", NEW)


def test_t32_no_reader_opens_a_record_before_its_authority_has_signed_off_its_shields(
    new_home: NewHome,
) -> None:
    line = new_home()
    ours, theirs, nobodys = a_child(), a_child(), a_child()
    manager = a_new_authority(line)
    line.births({**ours.entry, "authority": "E06000999"}, {**theirs.entry, "authority": NEW}, nobodys.entry)
    (found,) = line.found(*theirs.criteria, acting=manager)
    hidden = found["child_id"]
    granted(line, "reader", "reader", "NHS")

    for acting in (*READERS, "data-manager"):
        assert line.found(*ours.criteria, acting=acting)
        assert line.found(*nobodys.criteria, acting=acting)
        assert line.found(*theirs.criteria, acting=acting) == []
        by_place = ("--postcode", theirs.postcode, "--dob", theirs.born.isoformat())
        assert line.found(*by_place, acting=acting) == []
        line.unseen(hidden, acting=acting)
    line.refused("not-found", "show", hidden, "--reason", "section-47", "--override", acting="social-worker")
    by_phone = ("show", hidden, "--reason", "casework", "--on-behalf-of", "teacher")
    line.refused("not-found", *by_phone, acting="mediator")
    assert line.shown(hidden, manager)["authority"] == NEW, "its own managers raise the shields"
    missed = line.refused("not-found", "show", hidden, "--reason", "casework", acting="teacher")
    nothing = line.refused(
        "not-found", "show", hidden[:-12] + "0" * 12, "--reason", "casework", acting="teacher"
    )
    assert missed["error"] == nothing["error"], "as if there were none"

    families_told(line)
    line.unseen(hidden, acting="teacher")
    signed = line.done("organisation", "condition", NEW, "initial-shielding")
    assert {one["condition"] for one in signed["conditions"]} >= {"initial-shielding"}
    for acting in (*READERS, "data-manager"):
        assert line.found(*theirs.criteria, acting=acting)
        assert line.shown(hidden, acting)["address"]["postcode"] == theirs.postcode

    line.done("organisation", "withdraw-condition", NEW, "initial-shielding", "--reason", "recorded-in-error")
    line.unseen(hidden)


def families_told(line: Line, on: str = "2027-03-01") -> None:
    """On record, with where the evidence of it is kept."""
    notice = ("organisation", "condition", NEW, "notice-to-families")
    line.refused("no-reference", *notice, "--on", on, status=2)
    line.done(*notice, "--on", on, "--reference", "STOW-2027-17")


def test_t33_no_reader_looks_before_families_were_told_and_the_evidence_is_kept(new_home: NewHome) -> None:
    line = new_home()
    one = a_child()
    manager = a_new_authority(line)
    line.births({**one.entry, "authority": NEW})
    child = line.found(*one.criteria, acting=manager)[0]["child_id"]
    line.done("organisation", "condition", NEW, "initial-shielding")
    for acting in (*READERS[:3], "data-manager"):
        assert line.found(*one.criteria, acting=acting) == []
        line.unseen(child, acting=acting)

    later = ("organisation", "condition", NEW, "notice-to-families", "--reference", "STOW-2027-17")
    line.refused("date-in-future", *later, "--on", "2027-03-11", status=2)
    families_told(line)

    assert line.shown(child, acting="teacher")["address"]["postcode"] == one.postcode
    kept = line.done("organisation", "show", NEW)["history"][0]
    assert (kept["event"], kept["condition"]) == ("organisation-condition-met", "notice-to-families")
    assert (kept["met_on"], kept["reference"]) == ("2027-03-01", "STOW-2027-17")
    line.done(
        "organisation", "withdraw-condition", NEW, "notice-to-families", "--reason", "recorded-in-error"
    )
    line.unseen(child, acting="teacher")


def test_t32_a_shielded_child_is_shown_alike_whosever_it_is(new_home: NewHome) -> None:
    line = new_home()
    a_new_authority(line)
    shown, looked = [], []
    for authority in ("E06000999", NEW):
        one = a_child()
        line.births({**one.entry, "authority": authority})
        child = _id_of(line, one)
        line.record("shield", child, "--ground", "crime", acting="social-worker")
        found = line.found(*one.criteria, acting="teacher")
        shown.append((len(found), set(found[0]), set(line.shown(child, "teacher"))))
        looked.append(line.done("audit", "what-saw", "teacher")["entries"][0]["rule"])
    assert shown[0] == shown[1] == (1, SHOWN_OF_A_SHIELDED_CHILD, SHOWN_OF_A_SHIELDED_CHILD)
    assert looked[0] == looked[1]


def _id_of(line: Line, one: Child) -> str:
    """The id of a child whom a practitioner finds, or the managers of the new authority."""
    hits = line.found(*one.criteria) or line.found(*one.criteria, acting="stow-manager")
    return str(hits[0]["child_id"])


# T36


def test_t36_a_look_behind_a_shield_opens_an_investigation_that_a_person_closes(new_home: NewHome) -> None:
    line = new_home()
    one = a_child()
    child = born(line, one)
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    assert investigations(line) == []

    looks = [
        line.done("show", child, "--reason", "section-47", "--override", acting="social-worker")
        for _ in range(2)
    ]

    opened = investigations(line)
    assert [one["access"] for one in opened] == [look["access_id"] for look in looks], "one for each look"
    first = opened[0]
    assert (first["cause"], first["account"], first["account_suspended"]) == (
        "override",
        "social-worker",
        False,
    )
    assert (first["overdue"], first["investigator"], first["review_by"]) == (False, None, "2027-03-11")
    told = line("investigation", "list")
    for personal in (child, one.postcode, one.family):
        assert personal not in told.printed, "which child it was is for the audit trail"

    name = first["investigation"]
    line.refused("not-taken", "investigation", "close", name, "--outcome", "no-misuse")
    assert line.done("investigation", "take", name)["investigator"] == "auditor"
    line.refused("taken-already", "investigation", "take", name, acting="auditor-2")
    line.refused("unknown-outcome", "investigation", "close", name, "--outcome", "test", status=2)
    closed = line.done("investigation", "close", name, "--outcome", "no-misuse")
    assert closed["outcome"] == "no-misuse"
    line.refused("closed-already", "investigation", "close", name, "--outcome", "misuse")
    assert [one["investigation"] for one in investigations(line, "--closed")] == [name]
    assert [one["access"] for one in investigations(line)] == [looks[1]["access_id"]]

    line.clock += timedelta(days=2)
    assert [one["overdue"] for one in investigations(line)] == [True]


def overridden(line: Line, *options: str, acting: str = "data-manager") -> dict[str, list[Json]]:
    """Who looked behind the shields of an authority's records, as its managers read it: child → looks."""
    children = line.done("record", "overrides", *options, acting=acting)["children"]
    return {one["child_id"]: one["overrides"] for one in children}


def test_t36_those_who_manage_a_record_are_told_who_looked_behind_its_shield_and_nobody_else_is(
    new_home: NewHome,
) -> None:
    line = new_home()
    far = a_new_authority(line)
    for condition, *words in (
        ("initial-shielding",),
        ("notice-to-families", "--on", "2027-03-01", "--reference", "S-1"),
    ):
        line.done("organisation", "condition", NEW, condition, *words)
    ours, theirs, quiet = a_child(), a_child(), a_child()
    line.births(
        *(
            {**one.entry, "authority": whose}
            for one, whose in ((ours, "E06000999"), (theirs, NEW), (quiet, "E06000999"))
        )
    )
    mine, far_away, untouched = (_id_of(line, one) for one in (ours, theirs, quiet))
    for child in (mine, far_away, untouched):
        line.record("shield", child, "--ground", "crime", acting="social-worker")
    behind = ("--reason", "section-47", "--override")
    assert overridden(line) == overridden(line, acting=far) == {}

    first, other, last = (
        line.done("show", child, *behind, acting="social-worker") for child in (mine, far_away, mine)
    )
    line.show(untouched, acting="social-worker")

    told = overridden(line)
    assert {child: [one["access"] for one in looks] for child, looks in told.items()} == {
        mine: [last["access_id"], first["access_id"]]
    }
    look = told[mine][0]
    assert (look["account"], look["role"], look["reason"]) == ("social-worker", "social-worker", "section-47")
    assert look["organisation"]
    assert look["investigation"] == "open"
    assert {
        child: [one["access"] for one in looks] for child, looks in overridden(line, acting=far).items()
    } == {far_away: [other["access_id"]]}
    for acting in ("teacher", "practitioner", "social-worker", "operator"):
        line.refused("right-not-held", "record", "overrides", acting=acting)
    assert overridden(line, acting="auditor") == {}, "who manages no record reads `investigation list`"
    assert overridden(line, "--since", "2027-03-11") == overridden(line, "--until", "2027-03-09") == {}
    assert overridden(line, "--since", "2027-03-10", "--until", "2027-03-10") == told

    opened = next(one for one in investigations(line) if one["access"] == last["access_id"])["investigation"]
    line.done("investigation", "take", opened)
    line.done("investigation", "close", opened, "--outcome", "misuse")
    assert [one["investigation"] for one in overridden(line)[mine]] == ["misuse", "open"]

    seen = line.done("audit", "who-saw", mine)["entries"][0]
    assert (seen["action"], seen["role"], seen["shown"]) == ("investigate", "data-manager", True)
    before = overridden(line)
    line.done("projection", "rebuild", "audit_trail", "--switch")
    assert overridden(line) == before, "no table is lost with a view"


def test_t36_whoever_takes_a_record_over_is_told_and_whoever_gave_it_away_is_not_any_more(
    new_home: NewHome,
) -> None:
    line = new_home()
    far = a_new_authority(line)
    one = a_child()
    line.births({**one.entry, "authority": "E06000999"})
    child = _id_of(line, one)
    line.record("shield", child, "--ground", "crime", acting="social-worker")
    line.done("show", child, "--reason", "section-47", "--override", acting="social-worker")
    assert list(overridden(line)) == [child]

    line.record("offer-transfer", child, "--to", NEW, acting="data-manager")
    assert overridden(line, acting=far) == {}
    line.record("accept-transfer", child, acting=far)

    assert list(overridden(line, acting=far)) == [child]
    assert overridden(line) == {}


def test_t36_nothing_is_shown_where_an_ordinary_look_needs_no_override(line: Line) -> None:
    before = len(investigations(line))
    child = born(line, a_child())
    line.show(child, acting="social-worker")
    line.refused("right-not-held", "show", child, "--reason", "casework", "--override", acting="teacher")
    assert len(investigations(line)) == before


def test_an_investigation_is_seen_by_auditors_and_by_managers_of_the_area_but_not_by_whom_it_is_about(
    new_home: NewHome,
) -> None:
    line = new_home()
    far = a_new_authority(line)
    one = a_child()
    child = born(line, one)
    near = granted(line, "near-manager", "data-manager", "E06000999")
    line.done("account", "declare", near, "--relative", one.name)
    line.show(child, acting=near)
    (opened,) = about(line, near)

    name = opened["investigation"]
    assert investigations(line, acting="data-manager")
    for acting in (far, near):
        refused = ("not-found",) if acting == far else ("account-suspended",)
        line.refused(*refused, "investigation", "show", name, acting=acting)
    line.done("account", "reinstate", near, "--reason", "investigation-ended")
    line.refused("not-found", "investigation", "show", name, acting=near)
    line.refused("not-found", "investigation", "take", name, acting=near)
    for acting in ("teacher", "operator", "practitioner"):
        line.refused("right-not-held", "investigation", "list", acting=acting)


# T41


@pytest.mark.parametrize(
    ("declared", "cause", "suspended"),
    [
        ("--surname", "own-surname", False),
        ("--postcode", "own-address", True),
        ("--relative", "declared-family", True),
    ],
)
@pytest.mark.parametrize("look", ["search by it", "search by number", "show"])
def test_t41_a_look_at_ones_own_is_flagged_and_looked_into(
    line: Line, declared: str, cause: str, suspended: bool, look: str
) -> None:
    one = a_child(family=f"Ó {'Xyz'[len(look) % 3]}uillby {cause[4]}{look[-1]}".replace(" ", ""))
    child = born(line, one)
    number = line.found(*one.criteria)[0]["number"]
    name = granted(line, f"w-{len(look)}{look[-1]}-{cause}")
    line.done("account", "line-manager", name, f"M-{name}")
    boss = granted(line, f"boss-{name}"[:40], "practitioner", "NHS")
    value = {"--surname": one.family.upper(), "--postcode": one.postcode, "--relative": one.name}[declared]
    declared_as = line.done("account", "declare", name, declared, value)
    assert declared_as["ties_declared"] is True
    assert value not in str(declared_as)
    line.done("account", "show", boss)

    typed = {
        "search by it": ("search", "--name", one.name, "--postcode", one.postcode),
        "search by number": ("search", "--number", number),
        "show": ("show", child),
    }[look]
    answer = line.done(*typed, "--reason", "casework", acting=name)

    (opened,) = about(line, name)
    assert (opened["cause"], opened["access"]) == (cause, answer["access_id"])
    assert opened["account_suspended"] is suspended
    again = line(*typed, "--reason", "casework", acting=name)
    assert again.code == ("account-suspended" if suspended else "")
    assert len(about(line, name)) == 1, "one a day"
    entry = line.done("audit", "what-saw", name)["entries"][0 if suspended else -1]
    assert entry["account_name"] == name
    if not suspended:
        line.done("account", "suspend", name, "--reason", "misuse-suspected")
        line.refused("account-suspended", *typed, "--reason", "casework", acting=name)


def test_t41_the_line_manager_is_told_and_that_is_on_record(new_home: NewHome) -> None:
    line = new_home()
    one = a_child()
    child = born(line, one)
    name, boss = granted(line, "visitor"), granted(line, "boss")
    other = granted(line, "other")
    line.done("account", "line-manager", name, line.done("account", "show", boss)["holder"])
    line.done("account", "declare", name, "--relative", one.name)
    line.show(child, acting=name)
    assert about(line, name)[0]["line_manager_told"] is False

    (told,) = line.done("investigation", "notices", acting=boss)["investigations"]

    assert (told["account"], told["cause"], told["line_manager_told"]) == (name, "declared-family", True)
    assert about(line, name)[0]["line_manager_told"] is True
    for nobody in (other, "teacher"):
        assert line.done("investigation", "notices", acting=nobody)["investigations"] == []
    for told_nothing in (one.family, one.postcode, child):
        assert told_nothing not in str(told)


def test_t41_looks_at_others_are_not_flagged(line: Line) -> None:
    one, another = a_child(), a_child(family="Umberfield")
    born(line, one)
    child = born(line, another)
    name = granted(line, "somebody")
    declared = ("--surname", "Farfetched", "--postcode", "LS1 6AE", "--relative", "Ada Umberfield")
    line.done("account", "declare", name, *declared)
    line.search(*one.criteria, acting=name)
    line.show(child, acting=name)
    assert about(line, name) == []


# T44


def looks(line: Line, name: str, count: int) -> None:
    for number in range(count):
        line.search("--number" if number % 2 else "--nhs-number", *_nobody(number), acting=name)


def _nobody(number: int) -> tuple[str]:
    return ("00000000000",) if number % 2 else ("9000000009",)


def test_t44_more_looks_than_the_role_asks_for_are_stopped_for_an_hour_and_looked_into(
    new_home: NewHome,
) -> None:
    line = new_home()
    name = granted(line, "reads-much", "reader", "NHS")
    looks(line, name, 40)
    assert about(line, name) == []

    asked = ("search", "--reason", "casework", "--number", "00000000000")
    for _ in range(2):
        line.refused("too-many-looks", *asked, acting=name)
    child = born(line, a_child())
    line.refused("too-many-looks", "show", child, "--reason", "casework", acting=name)

    (opened,) = about(line, name)
    assert (opened["cause"], opened["account_suspended"]) == ("too-many-looks", False)
    assert opened["review_by"] == "2027-03-11", "the next working day"
    entry = line.done("audit", "what-saw", name)["entries"][0]
    assert (entry["outcome"], entry["rule"], entry["children"]) == ("refused", "too-many-looks", [])
    line.clock += timedelta(hours=1)
    line.done(*asked, acting=name)


def test_t44_names_in_the_order_of_the_alphabet_are_a_pattern(new_home: NewHome) -> None:
    line = new_home()
    name, honest = granted(line, "browses"), granted(line, "works")
    names = [f"Zoe Qu{chr(97 + number)}rry" for number in range(20)]
    shuffled = [names[number * 7 % 20] for number in range(20)]
    for one, other in zip(names, shuffled, strict=True):
        line.search("--name", one, acting=name)
        line.search("--name", other, acting=honest)

    line.refused("sequential-names", "search", "--reason", "casework", "--name", "Zoe Quzrry", acting=name)
    line.search("--name", "Zoe Quarry", acting=honest)
    assert [one["cause"] for one in about(line, name)] == ["sequential-names"]
    assert about(line, honest) == []


def test_t44_one_after_another_by_name_and_date_of_birth_and_none_opened_is_an_age_check(
    new_home: NewHome,
) -> None:
    line = new_home()
    child = born(line, a_child())
    name, honest = granted(line, "checks-ages"), granted(line, "works")
    people = [a_child() for _ in range(20)]
    for one in people:
        line.search(*one.criteria, acting=name)
        line.search(*one.criteria, acting=honest)
    line.show(child, acting=honest)
    asked = ("search", "--reason", "casework", *a_child().criteria)
    line.refused("age-check", *asked, acting=name)
    line.done(*asked, acting=honest)
    assert [one["cause"] for one in about(line, name)] == ["age-check"]
    assert about(line, honest) == []


def test_t44_records_opened_with_which_the_account_never_had_to_do_are_a_pattern(new_home: NewHome) -> None:
    line = new_home()
    children = [born(line, a_child()) for _ in range(21)]
    name, honest = granted(line, "opens-all"), granted(line, "works")
    line.record("involve", children[0], "--service", "Health visiting", "--kind", "universal", acting=honest)
    for child in children[:20]:
        line.show(child, acting=name)
        line.show(child, acting=honest)
    line.refused("no-involvement", "show", children[20], "--reason", "casework", acting=name)
    line.show(children[20], acting=honest)
    assert [one["cause"] for one in about(line, name)] == ["no-involvement"]


def test_t44_the_central_team_sees_what_was_found_in_every_area(new_home: NewHome) -> None:
    line = new_home()
    far = a_new_authority(line)
    near = granted(line, "near-reader", "reader", "NHS")
    distant = granted(line, "far-reader", "reader", "NHS", "--area", NEW)
    for name in (near, distant):
        looks(line, name, 40)
        line.refused("too-many-looks", "search", "--reason", "casework", "--number", "0" * 11, acting=name)
    assert {one["account"] for one in investigations(line)} == {near, distant}
    assert {one["account"] for one in investigations(line, acting="data-manager")} == {near}
    assert {one["account"] for one in investigations(line, acting=far)} == {distant}


# T47


def printed(line: Line, *words: str, acting: str | None = None) -> str:
    """What a command prints for people."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = status_of(
            [word for word in line.words(*words, acting=acting) if word != "--json"], line.settings
        )
    line.clock += timedelta(microseconds=1)
    assert status == 0, out.getvalue() + err.getvalue()
    return out.getvalue()


def test_t47_everything_that_is_printed_of_a_look_says_whose_it_is(line: Line) -> None:
    one = a_child()
    child = born(line, one, authority="E06000999")
    on_behalf = ("--on-behalf-of", "teacher")
    for words, acting in (
        (("search", "--reason", "casework", *one.criteria), "practitioner"),
        (("show", child, "--reason", "casework"), "teacher"),
        (("audit", "who-saw", child), "auditor"),
        (("audit", "changes", child), "data-manager"),
        (("audit", "refusals"), "auditor"),
        (("queue", "list"), "data-manager"),
        (
            ("hand-over", child, "--ground", "crime", "--to", "County Police", "--field", "name"),
            "data-manager",
        ),
        (("proposal", "list"), "data-manager"),
        (("investigation", "list"), "auditor"),
    ):
        text = printed(line, *words, acting=acting)
        access = line.done("audit", "what-saw", acting, acting="auditor-2")["entries"][0]["access_id"]
        assert text.splitlines()[-1] == f"[shown to {acting}, access {access}]", words
    text = printed(line, "show", child, "--reason", "casework", *on_behalf, acting="mediator")
    assert "[shown to mediator for teacher, access " in text


@pytest.mark.parametrize("acting", READERS[:3])
def test_t47_no_reader_exports_lists_or_hands_anything_on(line: Line, tmp_path: Path, acting: str) -> None:
    child = born(line, a_child())
    for words in (
        ("audit", "export", child, str(tmp_path / "pack")),
        ("audit", "who-saw", child),
        ("audit", "what-saw", acting),
        ("audit", "changes", child),
        ("hand-over", child, "--ground", "crime", "--to", "County Police", "--field", "name"),
        ("queue", "list"),
        ("retention", "due"),
        ("proposal", "list"),
        ("stream", "publish", "--until-caught-up"),
    ):
        refused = line.refused("right-not-held", *words, acting=acting)
        assert child not in refused.printed
    assert list(tmp_path.iterdir()) == []


def test_t47_a_page_of_results_is_bounded_whatever_there_is(new_home: NewHome) -> None:
    line = new_home()
    family = [a_child(family="Quillfeather") for _ in range(30)]
    line.births(*(one.entry for one in family))
    answer = line.search("--name", "Quillfeather")
    assert (len(answer["results"]), answer["more"]) == (20, True)
    line.refused(
        "usage", "search", "--reason", "casework", "--name", "Quillfeather", "--limit", "1000", acting="teacher",
        status=2,
    )  # fmt: skip


def test_t47_looking_leaves_no_file_behind(line: Line, tmp_path: Path) -> None:
    one = a_child()
    child = born(line, one)
    before = files_under(line.home)
    with chdir(tmp_path):
        line.search(*one.criteria)
        line.show(child)
        line.done("audit", "who-saw", child)
    assert files_under(line.home) == before
    assert list(tmp_path.iterdir()) == []


def files_under(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
