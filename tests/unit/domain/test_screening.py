"""Narrative has no place where a name stands (T8)."""

from collections.abc import Callable

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.child_record.events import Contact
from domain.errors import BadInput
from domain.policy.screening import screen_address, screen_name, screen_person

NAMES = (
    "School nursing",
    "St Mary's C of E (VA) Primary School",
    "Dr A. N. Other",
    "We Are With You",
    "Barnardo’s Young Carers",
    "NSPCC",
    "Youth Offending Team 2",
    "Children & Young People's Services",
    "Homerton Healthcare NHS Foundation Trust",
    "CAMHS tier 3",
    "Ysgol y Gwernant",
    "Prof. J. Smith",
    "Kooth plc.",
    "0-19 Health Visiting Service",
    "Place2Be",
    "24/7 Crisis Team",
)
NARRATIVES = (
    "mother says he was hit",
    "Seen Tuesday. Unwell",
    "call 020 7946 0018",
    "Ring 07700900123",
    "she is at risk!",
    "not to be told",
    "one two three four five six seven eight nine ten eleven",
    "http://example.org/notes",
    "nurse@example.org",
    "Health visitor; dad violent",
    "Role: suspected abuse",
)


WORDS = ("Elm", "Street", "Elm", "Street", "he", "was", "Ahttp", "12", "7a", "Elm.")


@pytest.mark.parametrize("name", NAMES)
def test_a_real_name_passes(name: str) -> None:
    screen_name(name, "service")


@pytest.mark.parametrize("text", NARRATIVES)
def test_t8_a_narrative_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        screen_name(text, "service")
    assert (refused.value.code, refused.value.field) == ("narrative", "service")
    assert text not in refused.value.message


def test_nothing_given_is_nothing_to_screen() -> None:
    screen_name(None, "organisation")


@pytest.mark.parametrize(
    ("given", "family"),
    [
        (("Siân",), "O'Brien-Smith"),
        (("edward",), "said"),
        (("José", "María"), "de la Cruz"),
        (("Nguyễn Thị",), "Ánh"),
        ((), "Khan"),
    ],
)
def test_a_persons_name_passes(given: tuple[str, ...], family: str) -> None:
    screen_person(given, family, "names")


@pytest.mark.parametrize(
    "given",
    [("Amira", "she was taken into care"), ("please", "do", "not", "call"), ("Amira", "020 7946 0018")],
)
def test_a_remark_in_a_persons_name_is_refused(given: tuple[str, ...]) -> None:
    with pytest.raises(BadInput):
        screen_person(given, "Khan", "names")


@pytest.mark.parametrize(
    "line", ["Flat 16, The Heights", "S HUMBERSIDE", "Westward Ho!", "3984 Tomika Greens", "c/o 4 Elm St."]
)
def test_a_line_of_an_address_passes(line: str) -> None:
    screen_address((line,), "whereabouts")


@pytest.mark.parametrize("line", ["she is hiding here", "who lives here?", "mail to a@b.example"])
def test_a_remark_in_an_address_is_refused(line: str) -> None:
    with pytest.raises(BadInput):
        screen_address((line,), "whereabouts")


@example("Elm " * 6 + "Elm")
@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join))
def test_what_is_let_through_at_first_sight_would_be_let_through_at_the_second(text: str) -> None:
    assume(not text.isalpha() and text[-1].isalnum())
    # The comma means nothing, but a text with one is looked at twice.
    assert outcome(lambda: screen_name(text, "", words=6)) == outcome(
        lambda: screen_name(f"{text},", "", words=6)
    )
    assert outcome(lambda: screen_address((text,), "")) == outcome(lambda: screen_address((f"{text},",), ""))


def outcome(screened: Callable[[], None]) -> str | None:
    try:
        screened()
    except BadInput as refused:
        return refused.code
    return None


@pytest.mark.parametrize(
    "contact",
    [
        {"telephone": "ask for Mary"},
        {"telephone": "020 7946 0018 but not mornings"},
        {"telephone": "1" * 26},
        {"email": "call first, then a@b.example"},
        {"email": "nobody"},
        {"email": "a@b@c.example"},
        {"note": "anything"},
    ],
)
def test_t8_a_contact_has_no_room_for_a_narrative(contact: dict[str, str]) -> None:
    with pytest.raises(ValidationError) as refused:
        Contact.model_validate(contact)
    assert next(iter(contact.values())) not in str(refused.value)


def test_a_telephone_number_and_an_email_address_pass() -> None:
    Contact(telephone="+44 (0)20 7946 0018", email="team.one@hackney.example")
