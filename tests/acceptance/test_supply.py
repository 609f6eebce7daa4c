"""G. Supply and matching: T5, T50, T69, T71, and that a withdrawn file takes back what a decision made of it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import pytest

from cli.population import draws
from ingest.population.people import Child as Invented
from ingest.population.people import block_of
from ingest.population.told import slipped
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Line
from tests.acceptance.people import Child, a_child, born, registered
from tests.linking import population
from tests.loading import a_births_file, ndjson

pytestmark = pytest.mark.postgres

SCHOOL: Final = "DFE9999999"
UPN: Final = "P207000016049"


def test_t5_a_number_allocated_by_one_body_is_absent_for_another(line: Line) -> None:
    child = registered(line, a_child())
    line.record("assert", child, "--identifier", f"upn:{SCHOOL}:{UPN}", acting="teacher")
    shown = line.done("show", child, "--reason", "education-welfare", acting="teacher")
    mine = {"scheme": "upn", "value": UPN, "allocated_by": SCHOOL}
    assert shown["record"]["identifiers"] == [mine]
    assert UPN not in str(line.show(child, acting="teacher")), "allocated for education, not for casework"
    for acting in ("practitioner", "social-worker", "data-manager"):
        assert UPN not in str(line.show(child, acting=acting))
    for reason in ("missing-education", "record-management"):
        assert UPN not in str(line.done("show", child, "--reason", reason, acting="data-manager"))
    replayed = line.done("audit", "replay", shown["access_id"])
    assert (replayed["digest_matches"], replayed["as_displayed"]["identifiers"]) == (True, [mine])


WAYS: Final = (
    "nickname",
    "sound-alike",
    "transliteration",
    "typing",
    "day-month",
    "hyphen-half",
    "middle-first",
)


def test_t50_a_child_is_found_within_three_attempts_whatever_the_searcher_gets_wrong(
    new_home: NewHome,
) -> None:
    line = new_home()
    people = population(100, 4)
    line.load("births", people.files["births"])
    draw = draws("searchers")
    asked = missed = 0
    for child in block_of(4, 0, draws):
        if "births" not in child.sources:
            continue
        typed = next((one for way in WAYS if (one := slipped(way, child, draw)) is not None), child)
        asked += 1
        missed += not any(_holds(line, words, child) for words in _attempts(typed, child))
    assert asked >= 80
    assert (asked - missed) / asked >= 0.95, f"{missed} of {asked} were not found"


def _attempts(typed: Invented, child: Invented) -> tuple[tuple[str, ...], ...]:
    name = ("--name", f"{typed.given} {typed.surname}")
    return (
        (*name, "--dob", typed.born),
        (*name, "--postcode", child.home.postcode) if child.home.postcode else name,
        ("--name", typed.surname, "--dob", child.born),
    )


def _holds(line: Line, words: tuple[str, ...], child: Invented) -> bool:
    return any(
        (hit["name"]["family"], hit["name"]["given"][:1], hit["date_of_birth"])
        == (child.surname, [child.given] if child.given else [], child.born)
        for hit in line.found(*words)
    )


def _like(child: Child, **changed: str) -> dict[str, str]:
    """Another entry at the same address, of the same day and mother, without a number."""
    return {**child.entry, "entry_id": f"{child.entry['entry_id']}/B", "nhs_number": "", **changed}


@pytest.mark.parametrize(
    ("given", "other"),
    [
        ("Ella", {"given_names": "Ellie"}),
        ("Ella Rose", {"given_names": "Ella May"}),
        ("Jack", {"given_names": "Jake", "birth_order": "2"}),
        ("Muhammad", {"given_names": "Mohammed"}),
        ("Oleksandr", {"given_names": "Alexander"}),
        ("Harry", {"given_names": "Harry", "date_of_birth": "2012-02-03"}),
    ],
    ids=["a twin of a like name", "twins of one first name", "a twin", "in other letters", "in another tongue",
         "a namesake of another age"],
)  # fmt: skip
def test_t69_neither_twin_nor_namesake_nor_another_spelling_is_joined_by_itself(
    line: Line, given: str, other: Mapping[str, str]
) -> None:
    child = a_child(given=given)
    line.births({**child.entry, "nhs_number": ""})
    loaded = line.births(_like(child, **{"date_of_birth": child.born.isoformat(), **other}))
    assert (loaded["updated"], loaded["registered"] + loaded["queued"]) == (0, 1)
    for hit in line.found(*child.criteria):
        if hit["name"]["given"] == given.split():
            assert hit["date_of_birth"] == child.born.isoformat()
            assert hit["former_names"] == []


def _claims(*claims: Mapping[str, str]) -> bytes:
    columns = list(claims[0])
    return "\n".join(
        ",".join(claim[c] for c in columns) for claim in ({c: c for c in columns}, *claims)
    ).encode()


def _claim(child: Child, street: str, postcode: str) -> dict[str, str]:
    return {
        "claim_number": f"CHB{child.serial:08d}AA",
        "claimed_from": (child.born + timedelta(days=30)).isoformat(),
        "given_names": child.given,
        "surname": child.family,
        "date_of_birth": child.born.isoformat(),
        "sex": child.sex,
        "address_line_1": street,
        "postcode": postcode,
    }


def test_t71_feeds_repeated_late_out_of_order_or_half_loaded_end_as_one_orderly_delivery(
    new_home: NewHome,
) -> None:
    """The second child moved to where only the last message says it lives: till then its claim waits."""
    stayed, moved, unborn = (a_child() for _ in range(3))
    births = a_births_file(stayed.entry, moved.entry)
    claims = _claims(
        _claim(stayed, stayed.street, stayed.postcode),
        _claim(moved, "4 New Way", "TR1 2AB"),
        _claim(unborn, unborn.street, unborn.postcode),
    )
    messages = ndjson(
        stayed.message(),
        moved.message(address=[moved.address("4 New Way", "TR1 2AB", "2027-02-06")]),
        unborn.message(),
    )
    orderly, jumbled = new_home(), new_home()
    orderly.load("births", births)
    assert orderly.load("child-benefit", claims)["queued"] == 1
    orderly.load("pds", messages)
    jumbled.load("pds", messages[: len(messages) // 2])  # the connection broke
    jumbled.load("child-benefit", claims)
    jumbled.load("births", births)
    jumbled.load("child-benefit", claims)
    jumbled.load("pds", messages)
    jumbled.load("births", births)
    assert _visible(jumbled) == _visible(orderly)
    assert not jumbled.done("queue", "list", acting="data-manager")["held"]
    for line in (orderly, jumbled):
        (hit,) = line.found(*moved.criteria)
        assert hit["address"]["lines"] == ["4 New Way"]


def _visible(line: Line) -> list[list[str]]:
    """What readers may find, without what is random in each home and what says in which order it came."""
    rows = line.view_rows("child_id", "number", "version", "place")
    return [sorted(found) for table, found in rows.items() if table.startswith("practitioner_view")]


def test_withdrawing_a_file_takes_back_what_a_decision_made_of_it(line: Line) -> None:
    child = a_child()
    child_id = born(line, child, authority="E06000999")
    told = child.message(
        birthDate="2015-01-01", address=[child.address("5 Wrong Road", "TR1 3AB", "2027-01-01")]
    )
    loaded = line.pds(told)
    file_id = loaded["files"][0]["file_id"]
    held = line.done("queue", "list", "--limit", "50", acting="data-manager")["held"][-1]["held_id"]
    line.done(
        "queue", "decide", held, "--same", child_id, "--reason", "documents-seen", acting="data-manager"
    )
    assert line.shown(child_id)["address"]["lines"] == ["5 Wrong Road"]
    line.done("load", "pds", "--withdraw", file_id)
    assert line.shown(child_id)["address"]["lines"] == [child.street]
