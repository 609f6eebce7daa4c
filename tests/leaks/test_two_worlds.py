"""Two worlds that differ in nothing but what is hidden cannot be told apart by anybody from whom it is hidden.

Each planted leak is a way in which a service like this one has told what it hid. It is put around the doors as they
answered, never into the product, and the same comparison has to find it.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from tests.acceptance.line import Line
from tests.leaks.worlds import (
    HIDDEN,
    ORGANISATIONS,
    PLACES,
    SERVICES,
    Seen,
    World,
    Worlds,
    a_cast,
    copied,
    told_apart,
)
from tests.postgres import MakeDatabases

pytestmark = [pytest.mark.postgres, pytest.mark.timeout(600)]

Json = dict[str, Any]
Lived = tuple[Worlds, list[Seen], list[Seen]]


def lived(worlds: Worlds) -> Lived:
    """Everything hidden happens, and everything is looked at."""
    for turn, what in enumerate(HIDDEN):
        worlds.hide(what, turn)
    for what in ("adopted", "fed"):
        worlds.happen(what, 0)
    asks = worlds.asks()
    one, other = (worlds.seen(world, asks) for world in worlds.pair)
    return worlds, one, other


@pytest.fixture(scope="module")
def alike(line: Line, make_databases: MakeDatabases, tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """Worlds in which as much is hidden, event by event, and what was seen of them."""
    return lived(copied(line, a_cast(line), make_databases, tmp_path_factory.mktemp("worlds")))


def test_whatever_is_hidden_nobody_learns_it(alike: Lived) -> None:
    worlds, one, other = alike
    assert told_apart(one, other) == []
    names = {seen.where for seen in one}
    assert {"subscribers", "opens hidden", "practitioner_view.child", "record_log 9", "format"} <= names
    assert len(one) > 200, "logs, views and files were looked at"
    assert PLACES[0] != PLACES[1]
    shown = worlds.one.line(
        "show", worlds.one.cast.id("plain"), "--reason", "casework", acting="practitioner"
    )
    assert worlds.one.cast.plain.postcode in shown.printed, (
        "what is not hidden is seen, or nothing was looked at"
    )


def test_nor_how_much_of_it_there_is(line: Line, make_databases: MakeDatabases, tmp_path: Path) -> None:
    """Of all that is not for auditors, in whose trail each hidden change is one, without what it was."""
    worlds = copied(line, a_cast(line), make_databases, tmp_path)
    worlds.alike = False
    _, one, other = lived(worlds)
    assert told_apart(one, other) == []


# Leaks, planted

Leak = Callable[[World, Seen], Seen]


def answered(where: str, change: Callable[[World, Json], None]) -> Leak:
    """A leak in the JSON that answers one question."""

    def leak(world: World, seen: Seen) -> Seen:
        if seen.where != where:
            return seen
        status, _, rest = seen.what.partition(" ")
        answer, _, beside = rest.partition("\n")
        told = json.loads(answer)
        change(world, told)
        return seen._replace(what=f"{status} {json.dumps(told)}\n{beside}")

    return leak


def rewritten(where: str, change: Callable[[World, str], str]) -> Leak:
    """A leak in what was seen somewhere."""
    return lambda world, seen: seen._replace(what=change(world, seen.what)) if seen.where == where else seen


def _street(world: World) -> str:
    return PLACES[world.number][0]


def _hit(world: World, told: Json) -> None:
    if world.number == 0:
        told["results"] = [{"child_id": "hidden"}]


def _more(world: World, told: Json) -> None:
    told["more"] = world.number == 0


def _hole(world: World, told: Json) -> None:
    if _street(world) < "4":
        told["results"].pop()


def _sorted(world: World, told: Json) -> None:
    told["results"].sort(key=lambda hit: _street(world) if hit.get("shielded") else "5", reverse=True)


def _duplicate(world: World, told: Json) -> None:
    if world.number == 0:
        told.clear()
        told["error"] = {"code": "possible-duplicate", "message": "Somebody is registered there already."}


def _said(world: World, told: Json) -> None:
    told["error"]["message"] += f" Ask {ORGANISATIONS[world.number]}."


def _masked(world: World, text: str) -> str:
    return text + json.dumps({"event": "masked", "count": len(_street(world))}) + "\n"


def _counted(world: World, told: Json) -> None:
    told["updated"], told["unchanged"] = (1, 1) if world.number else (0, 2)


def _updated(world: World, told: Json) -> None:
    told["record"]["updated"] = f"2027-03-10T10:00:0{world.number}Z"


def _who(world: World, told: Json) -> None:
    told["entries"][0]["organisation"] = ORGANISATIONS[world.number]


def _former(world: World, told: Json) -> None:
    told["results"][0]["former_names"] = [world.of([one.family for one in world.cast.former])]


def _led(world: World, told: Json) -> None:
    if world.number == 0:
        told["results"] = [{"child_id": "renamed"}]


def _waiting(world: World, told: Json) -> None:
    told["held"] = [{"about": ["renamed", f"former {world.number}"], "why": "possible-duplicate"}]


def _joined(world: World, told: Json) -> None:
    told["entries"].append({"event": "identity-vetoed", "child": "renamed" if world.number else "<id>"})


def _larger(world: World, text: str) -> str:
    return text.replace("448", str(448 + 64 * (len(SERVICES[world.number]) > 20)))


def _sized(world: World, text: str) -> str:
    return text.replace(", 248]", f", {248 + len(_street(world))}]")


PLANTED: Final[dict[str, Leak]] = {
    "a search by a hidden postcode hits": answered("search by name and postcode 0", _hit),
    "there is more where a hidden one is left out": answered("search by name and postcode 1", _more),
    "a page has a hole": answered("search by family name", _hole),
    "hits are sorted by what is hidden": answered("search by family name", _sorted),
    "a warning of a duplicate at a hidden address": answered("registers a neighbour", _duplicate),
    "the words of a refusal": answered("override without the right", _said),
    "a line on stderr": rewritten("opens hidden", _masked),
    "what a dry run counts": answered("dry run", _counted),
    "when a record was last told of": answered("opens hidden", _updated),
    "whose people looked": answered("who saw", _who),
    "the name that an adopted child had": answered("search by the new identity", _former),
    "the old number leads to the new record": answered("search by old identity's number 0", _led),
    "old and new identity as possible duplicates": answered("queue", _waiting),
    "a trail that leads from the old record to the new": answered("changes old identity 1", _joined),
    "the size of a message": rewritten("subscribers", _sized),
    "a message of a hidden change": rewritten(
        "subscribers",
        lambda world, text: text if world.number else text[:-1] + ', ["services-changed", "hidden"]]',
    ),
    "the size of a row of the log": rewritten("record_log 60", _larger),
    "when a row of the log was recorded": rewritten(
        "record_log 60", lambda world, text: text.replace("+00:00", f"{world.number}+00:00")
    ),
    "a row of a view": rewritten(
        "practitioner_view.child", lambda world, text: text + PLACES[world.number][1]
    ),
    "the size of a file": rewritten("format", lambda world, text: text + str(len(_street(world)))),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_leak_is_found(alike: Lived, name: str) -> None:
    worlds, *seen = alike
    leaky = [
        [PLANTED[name](world, one) for one in each] for world, each in zip(worlds.pair, seen, strict=True)
    ]
    assert leaky != seen, "nothing was planted"
    assert told_apart(*leaky), "the comparison looks past it"
