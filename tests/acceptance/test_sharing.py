"""T42 where everybody signs in: an account that two people use is suspended, and the other's, and it is looked into."""

from datetime import timedelta
from uuid import UUID

import pytest

from cli.kept_session import KeptSession
from tests.acceptance.authenticators import Holder, enrolled
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Json, Line
from tests.acceptance.people import a_child, born
from tests.acceptance.peopled import AREA, Peopled, let_in
from tests.acceptance.test_access import granted

pytestmark = pytest.mark.postgres


def kept(line: Line, seat: str) -> KeptSession:
    """What is kept on the device at a seat."""
    state = line.settings_at(seat).state
    assert state is not None
    return KeptSession.of(state, line.home)


def signed_in(peopled: Peopled, name: str) -> Holder:
    who = let_in(peopled.ada, name, "reader", AREA)
    who.sign_in()
    return who


def investigated(peopled: Peopled) -> list[Json]:
    found = peopled.auditor.done("investigation", "list")["investigations"]
    assert isinstance(found, list)
    return found


def is_suspended_for_sharing(peopled: Peopled, who: Holder, child: str) -> None:
    shown = peopled.ada.done("account", "show", who.name)
    assert shown["refusals"] == ["account-suspended"]
    newest = shown["history"][0]
    assert (newest["event"], newest["reason"]) == ("account-suspended", "credentials-shared")
    who.refused("session-ended", "show", child, "--reason", "casework")
    assert who.try_to_sign_in().code == "account-suspended"


def test_t42_a_session_used_on_another_device_suspends_both_and_is_looked_into(peopled: Peopled) -> None:
    line, look = peopled.line, ("show", peopled.child, "--reason", "casework")
    lender, borrower = signed_in(peopled, "lender"), signed_in(peopled, "borrower")
    lender.done(*look)
    lent, own = kept(line, "lender").token(), kept(line, "borrower")
    assert lent is not None
    kept(line, "borrower").keep(lent.token, own.device() or "", id_of(peopled, "lender"))
    before = line.heads()

    refused = borrower.refused("session-shared", *look)

    assert "record" not in refused.json
    assert line.heads()[1] == before[1] + 1, "on record before it is told"
    opened = {one["account"]: one for one in investigated(peopled)}
    for who in (lender, borrower):
        assert opened[who.name]["cause"] == "session-shared"
        assert opened[who.name]["account_suspended"] is True
    entry = peopled.auditor.done("audit", "what-saw", "lender")["entries"][0]
    assert (entry["access_id"], entry["outcome"], entry["rule"]) == (
        opened["lender"]["access"],
        "refused",
        "session-shared",
    )
    for who in (lender, borrower):
        is_suspended_for_sharing(peopled, who, peopled.child)


def id_of(peopled: Peopled, name: str) -> UUID:
    return UUID(peopled.ada.done("account", "show", name)["account"])


def test_t42_an_account_used_on_two_devices_at_once_suspends_both_and_is_looked_into(
    peopled: Peopled,
) -> None:
    look = ("show", peopled.child, "--reason", "casework")
    sharer, neighbour = signed_in(peopled, "sharer"), signed_in(peopled, "neighbour")
    sharer.sign_in(seat=neighbour.name)  # on the neighbour's own device
    peopled.line.done(*look, seat=neighbour.name)

    sharer.refused("session-shared", *look)

    opened = {one["account"]: one for one in investigated(peopled)}
    for who in (sharer, neighbour):
        assert (opened[who.name]["cause"], opened[who.name]["account_suspended"]) == ("used-by-turns", True)
    peopled.line.refused("session-ended", *look, seat=neighbour.name)
    assert sharer.try_to_sign_in().code == "account-suspended"
    assert neighbour.try_to_sign_in().code == "account-suspended"


def test_t42_of_a_device_of_many_nobody_but_the_account_itself_is_suspended(peopled: Peopled) -> None:
    look = ("show", peopled.child, "--reason", "casework")
    sharer = signed_in(peopled, "ward-sharer")
    nurses = [let_in(peopled.ada, f"ward-{number}", "reader", AREA) for number in range(2)]
    for who in (*nurses, sharer):
        who.sign_in(seat="ward")
    peopled.line.done(*look, seat="ward")
    sharer.refused("session-shared", *look)
    assert peopled.ada.done("account", "show", sharer.name)["let_in"] is False
    for who in nurses:
        assert peopled.ada.done("account", "show", who.name)["let_in"] is True


def test_t42_whoever_goes_from_one_desk_to_another_is_not_taken_for_two(new_home: NewHome) -> None:
    line = new_home()
    child = born(line, a_child())
    look = ("show", child, "--reason", "casework")
    who = enrolled(line, granted(line, "two-desks"))
    who.sign_in()
    line.done(*look, seat=who.name)
    who.sign_in(seat="next room")
    line.done(*look, seat="next room")
    line.done("session", "list", seat=who.name)  # to see to one's own sessions is no use of one
    line.clock += timedelta(minutes=2)
    line.done(*look, seat=who.name)
    line.clock += timedelta(minutes=2)
    line.done(*look, seat="next room")
    line.clock += timedelta(minutes=2) - timedelta(seconds=30)
    line.done(*look, seat="next room")
    line.done("sign-out", seat=who.name)
    line.done(*look, seat="next room")
    assert line.done("investigation", "list")["investigations"] == []

    who.sign_in()
    line.refused("session-shared", *look, seat="next room")
    assert [one["cause"] for one in line.done("investigation", "list")["investigations"]] == ["used-by-turns"]
