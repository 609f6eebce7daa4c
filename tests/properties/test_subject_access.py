"""What holds of every reply to whoever asks who looked: it adds up, and tells nobody of a shield against them."""

from dataclasses import replace
from datetime import date, timedelta
from typing import get_args

from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st

from domain.disclosure import FIELDS, canonical
from domain.policy.subject_access import LookAt, Origin, reply_to
from domain.rule_set.model import SHIELD_CEILING, Right
from tests.builders import NOW, the_rules
from tests.plugins_counts import count

RULES = the_rules()
EXEMPTIONS = RULES.subject_access.exemptions

LOOKS = st.builds(
    LookAt,
    at=st.integers(0, 40).map(lambda hours: NOW + timedelta(hours=hours)),
    action=st.sampled_from([*get_args(Right), "show", "search", "show", "search"]),
    purpose=st.sampled_from([*RULES.purposes, *RULES.hand_over, None]),
    shown=st.sampled_from([True, True, False]),
    fields=st.lists(st.sampled_from(FIELDS), unique=True).map(tuple),
    role=st.sampled_from([*RULES.roles, "gone"]),
    kind=st.sampled_from([*RULES.organisations, None]),
    organisation=st.sampled_from(["Elm Grove Primary", "A Refuge", None]),
)
ORIGINS = st.lists(
    st.builds(
        Origin,
        field=st.sampled_from(["name", "date_of_birth", "gender", "address", "carers"]),
        source_kind=st.sampled_from([*RULES.subject_access.sources]),
        since=st.just(date(2020, 1, 1)),
    ),
    max_size=4,
)


def exempt(requester: str) -> st.SearchStrategy[tuple[str, ...]]:
    """Exemptions that may be claimed against them."""
    theirs = [code for code, one in EXEMPTIONS.items() if requester in one.requesters]
    return st.lists(st.sampled_from(theirs), unique=True).map(tuple)


@whatever(
    st.data(), st.lists(LOOKS, max_size=20), st.sampled_from([*RULES.subject_access.requesters]), ORIGINS
)
@settings(max_examples=count(5_000))
def test_every_look_is_accounted_for_once(
    data: st.DataObject, looks: list[LookAt], requester: str, origins: list[Origin]
) -> None:
    withheld = data.draw(exempt(requester))
    reply = reply_to(requester, looks, origins, RULES, shielded=data.draw(st.booleans()), withheld=withheld)
    assert sum(reply.account.values()) == len(looks)
    assert sum(look["times"] for look in reply.display["looks"]) == reply.account["told"]
    assert set(reply.account) <= {"told", "showed-nothing", "not-theirs", *withheld}


def as_if_shielded(look: LookAt) -> LookAt:
    """The same look in a world in which the child is shielded: less is shown in it, and it may be from anywhere."""
    return replace(look, fields=tuple(f for f in look.fields if f in SHIELD_CEILING), organisation="A Refuge")


BECAUSE_OF_A_SHIELD = LOOKS.map(lambda look: replace(look, action="override")) | LOOKS.filter(
    lambda look: look.action not in RULES.subject_access.requesters["parent"].actions
)


@whatever(
    st.lists(LOOKS, max_size=15),
    st.lists(BECAUSE_OF_A_SHIELD, max_size=6),
    exempt("parent"),
    ORIGINS,
    st.randoms(use_true_random=False),
)
@settings(max_examples=count(10_000))
def test_t52_a_parents_reply_is_the_same_to_the_byte_with_and_without_a_shield(
    looks: list[LookAt], more: list[LookAt], withheld: tuple[str, ...], origins: list[Origin], random: object
) -> None:
    hidden = [*map(as_if_shielded, looks), *more]
    random.shuffle(hidden)  # type: ignore[attr-defined]
    without = reply_to("parent", looks, origins, RULES, shielded=False, withheld=withheld)
    with_one = reply_to("parent", hidden, origins, RULES, shielded=True, withheld=withheld)
    assert canonical(without.display) == canonical(with_one.display)


@whatever(st.lists(LOOKS, max_size=15), st.lists(LOOKS, max_size=15), ORIGINS)
@settings(max_examples=count(5_000))
def test_t52_where_all_is_withheld_nothing_tells_how_much_there_was(
    one: list[LookAt], another: list[LookAt], origins: list[Origin]
) -> None:
    for exemption in ("contrary-wish", "serious-harm"):
        replies = [
            reply_to("parent", looks, known, RULES, shielded=False, withheld=(exemption,))
            for looks, known in ((one, origins), (another, origins), ([], []))
        ]
        assert len({canonical(reply.display) for reply in replies}) == 1


@whatever(st.lists(LOOKS, max_size=15), st.sampled_from([*RULES.subject_access.requesters]))
@settings(max_examples=count(5_000))
def test_of_a_shielded_child_the_name_of_no_organisation_is_told_to_anybody(
    looks: list[LookAt], requester: str
) -> None:
    reply = reply_to(requester, looks, [], RULES, shielded=True)
    assert "A Refuge" not in str(reply.display)
