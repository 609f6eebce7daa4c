"""T45 where everybody signs in: mediator and caller each prove who they are, and the look is the caller's."""

from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from cli.app import App
from cli.bootstrap import open_app
from cli.kept_session import KeptSession
from domain.access.commands import OpenRecord
from domain.access.handlers import open_record
from tests.acceptance.authenticators import Holder, enrolled
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Answer, Json
from tests.acceptance.people import a_child, born
from tests.acceptance.peopled import AREA, Peopled, let_in, make_older
from tests.acceptance.test_access import granted
from tests.acceptance.test_two_people import at_once

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def helpdesk(peopled: Peopled) -> Holder:
    who = let_in(peopled.ada, "helpdesk", "mediator", AREA)
    who.sign_in()
    return who


@pytest.fixture(scope="module")
def caller(peopled: Peopled) -> Holder:
    who = let_in(peopled.ada, "caller", "reader", AREA)
    who.sign_in()
    return who


def word_of(caller: Holder, mediator: str = "helpdesk") -> str:
    """What a caller reads out. They give a code again where the last was too long ago: the next takes half a minute."""
    words = ("session", "let-mediator", mediator)
    answer = caller.line(*words, seat=caller.name)
    if answer.code == "step-up-required":
        caller.step_up()
        answer = caller.line(*words, seat=caller.name)
    assert answer.status == 0, answer.json
    return str(answer["word"])


def look_for(caller: str, child: str) -> tuple[str, ...]:
    return ("show", child, "--reason", "casework", "--on-behalf-of", caller, "--stdin")


def mediated(mediator: Holder, caller: str, child: str, word: str) -> Answer:
    return mediator.line(*look_for(caller, child), typed=(word,), seat=mediator.name)


def trail(peopled: Peopled, name: str) -> list[Json]:
    """What an account's trail says, to an auditor."""
    found = peopled.auditor.done("audit", "what-saw", name)["entries"]
    assert isinstance(found, list)
    return found


def test_t45_outside_training_a_look_is_mediated_where_both_are_signed_in(
    peopled: Peopled, helpdesk: Holder, caller: Holder
) -> None:
    own = caller.done("show", peopled.child, "--reason", "casework")["record"]
    word = word_of(caller)
    assert len(word.replace("-", "")) == 16

    answer = mediated(helpdesk, "caller", peopled.child, word.lower())

    assert answer.status == 0, answer.json
    assert answer["record"] == own, "the caller's entitlement, not the mediator's"
    ids = {name: peopled.ada.done("account", "show", name)["account"] for name in ("helpdesk", "caller")}
    for name in ids:
        entry = trail(peopled, name)[0]
        assert entry["access_id"] == answer["access_id"]
        assert (entry["account"], entry["on_behalf_of"]) == (ids["helpdesk"], ids["caller"])
    said = trail(peopled, "caller")[1]
    assert (said["action"], said["outcome"], said["account"]) == ("let-mediator", "granted", ids["caller"])
    with open_app(peopled.line.home, peopled.line.settings) as app:
        look = app.access_log.load(UUID(answer["access_id"]))
    assert look is not None
    assert str(look.metadata.causation) == said["access_id"], "the look names what the caller said"


def test_t45_without_the_callers_own_word_nothing_is_shown_and_that_is_on_record(
    peopled: Peopled, helpdesk: Holder, caller: Holder
) -> None:
    other = let_in(peopled.ada, "other-caller", "reader", AREA)
    other.sign_in()
    theirs = word_of(other)
    tries: list[tuple[str, Callable[[], Answer]]] = [
        ("no word", lambda: helpdesk.line(*look_for("caller", peopled.child)[:-1], seat="helpdesk")),
        ("an invented word", lambda: mediated(helpdesk, "caller", peopled.child, "0000-0000-0000-0000")),
        ("another caller's word", lambda: mediated(helpdesk, "caller", peopled.child, theirs)),
    ]
    for what, attempt in tries:
        before = peopled.line.heads()
        answer = attempt()
        assert (answer.status, answer.code) == (1, "caller-not-authenticated"), what
        assert "record" not in answer.json
        assert peopled.line.heads() == (before[0], before[1] + 1), f"{what}: on record before it is told"
        entry = trail(peopled, "caller")[0]
        assert (entry["action"], entry["outcome"], entry["rule"]) == (
            "mediate",
            "refused",
            "caller-not-authenticated",
        )
        assert entry["on_behalf_of"] == peopled.ada.done("account", "show", "caller")["account"]
    assert mediated(helpdesk, "other-caller", peopled.child, theirs).status == 0, "theirs was not used up"


def test_t45_a_word_is_for_the_mediator_who_was_named_alone(
    peopled: Peopled, helpdesk: Holder, caller: Holder
) -> None:
    another = let_in(peopled.ada, "another-desk", "mediator", AREA)
    another.sign_in()
    word = word_of(caller)
    assert mediated(another, "caller", peopled.child, word).code == "caller-not-authenticated"
    assert mediated(helpdesk, "caller", peopled.child, word).status == 0


def test_t45_a_word_is_good_for_one_look_whatever_it_shows(
    peopled: Peopled, helpdesk: Holder, caller: Holder
) -> None:
    word = word_of(caller)
    assert mediated(helpdesk, "caller", peopled.child, word).status == 0
    refused = mediated(helpdesk, "caller", peopled.child, word)
    assert (refused.status, refused.code) == (1, "looked-already")
    entry = trail(peopled, "caller")[0]
    assert (entry["action"], entry["outcome"], entry["rule"]) == ("mediate", "refused", "looked-already")

    word = word_of(caller)
    nobody = peopled.child[:-12] + "0" * 12
    assert mediated(helpdesk, "caller", nobody, word).code == "not-found"
    assert mediated(helpdesk, "caller", peopled.child, word).code == "looked-already"


def test_t45_of_many_looks_with_one_word_at_the_same_moment_one_is_made(
    peopled: Peopled, helpdesk: Holder, caller: Holder
) -> None:
    line = peopled.line
    settings = line.settings_at(helpdesk.name)
    assert settings.state is not None
    token = KeptSession.of(settings.state, line.home).token()
    assert token is not None
    with ExitStack() as opened:
        apps = [opened.enter_context(open_app(line.home, settings)) for _ in range(3)]

        def look(app: App, word: str) -> object:
            mediator, named = app.viewer(token), app.holder_of(caller.name, "on-behalf-of")
            now = app.now()
            looking, access_id = app.mediating.caller(word, named, mediator, now)
            with app.mediating.made_once(looking, now):
                command = OpenRecord(
                    at=now, access_id=access_id, reason="casework", child_id=UUID(peopled.child)
                )
                return open_record(command, looking).display

        for _ in range(3):
            word = word_of(caller)
            outcomes = at_once(*(partial(look, app, word) for app in apps))
            assert len([one for one in outcomes if isinstance(one, dict)]) == 1, outcomes
            assert outcomes.count("looked-already") == 2


def test_t45_a_word_lapses_with_its_minutes_and_with_the_callers_session(new_home: NewHome) -> None:
    line = new_home()
    child = born(line, a_child())
    mediator = enrolled(line, granted(line, "helpdesk", "mediator", "E06000999"))
    caller = enrolled(line, granted(line, "caller"))
    for who in (mediator, caller):
        who.sign_in()

    word = caller.done("session", "let-mediator", "helpdesk")["word"]
    line.clock += timedelta(minutes=5) - timedelta(microseconds=10)
    assert mediated(mediator, "caller", child, word).status == 0
    word = caller.done("session", "let-mediator", "helpdesk")["word"]
    line.clock += timedelta(minutes=5)
    assert mediated(mediator, "caller", child, word).code == "caller-not-authenticated"

    word = caller.done("session", "let-mediator", "helpdesk")["word"]
    caller.done("sign-out")
    assert mediated(mediator, "caller", child, word).code == "caller-not-authenticated"

    caller.sign_in()
    word = caller.done("session", "let-mediator", "helpdesk")["word"]
    line.done("account", "suspend", "caller", "--reason", "misuse-suspected")
    line.done("account", "reinstate", "caller", "--reason", "investigation-ended")
    assert mediated(mediator, "caller", child, word).code == "caller-not-authenticated"


def test_t45_every_condition_holds_of_both_when_the_word_is_used(
    peopled: Peopled, helpdesk: Holder, caller: Holder
) -> None:
    word = word_of(caller)
    peopled.ada.done(
        "account", "withdraw-condition", "caller", "training", "--reason", "requested-by-manager"
    )
    refused = mediated(helpdesk, "caller", peopled.child, word)
    assert refused.code == "caller-not-admitted"
    assert "train" not in refused.printed, "what does not hold of the caller is theirs to know"
    caller.refused("training-withdrawn", "session", "let-mediator", "helpdesk")
    peopled.ada.done("account", "condition", "caller", "training")


def test_t45_a_caller_gives_a_code_lately_and_names_a_mediator(
    peopled: Peopled, helpdesk: Holder, caller: Holder
) -> None:
    word_of(caller)
    for name in ("worker", "nobody-at-all"):
        caller.refused("no-such-mediator", "session", "let-mediator", name)
    make_older(peopled.line, caller, timedelta(minutes=5))
    before = peopled.line.heads()
    caller.refused("step-up-required", "session", "let-mediator", "helpdesk")
    assert peopled.line.heads() == (before[0], before[1] + 1), "on record before it is told"


def test_a_word_that_was_read_out_is_kept_nowhere(peopled: Peopled, helpdesk: Holder, caller: Holder) -> None:
    word = word_of(caller)
    answer = mediated(helpdesk, "caller", peopled.child, word)
    printed = [answer.printed, str(trail(peopled, "caller")), str(trail(peopled, "helpdesk"))]
    for spelled in (word, word.replace("-", "")):
        assert not [text for text in printed if spelled in text]
