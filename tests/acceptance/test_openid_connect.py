"""Signing in on the word of a provider that we did not write, through the public commands and a browser's own forms.

The provider's clock is the machine's, so the home's is too.
"""

import itertools
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final, Self
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest

from adapters.clock import SystemClock
from adapters.openid.jose import unverified
from adapters.openid.relying_party import Asked, NotVouched, RelyingParty
from cli.settings import ProviderSettings
from domain.federation import Vouched
from tests.acceptance.authenticators import Holder, enrolled
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Answer, Line
from tests.acceptance.people import a_child, born
from tests.acceptance.test_access import granted
from tests.keycloak import CLIENT, KIOSK, OTHER_CLIENT, OTP, TWO, Browser, Keycloak, Person, follow

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(900)]
"""The provider is prepared and started within the first test's time."""

WAITED: Final = 60.0
_NUMBERS: Final = itertools.count(1)


@pytest.fixture(scope="module")
def line(bare_home: NewHome, keycloak: Keycloak) -> Line:
    """A training home in the present, with the provider in its settings."""
    line = bare_home()
    line.clock = datetime.now(UTC)
    line.done("init", "--training")
    line.sets_the_clock = False
    line.provider = ProviderSettings(keycloak.issuer, CLIENT, (TWO,), ())
    return line


def party(keycloak: Keycloak, client: str = CLIENT, acr: tuple[str, ...] = (TWO,)) -> RelyingParty:
    return RelyingParty(keycloak.issuer, client, acr, (), SystemClock(), waited=WAITED)


def an_account(line: Line, name: str) -> str:
    line.clock = datetime.now(UTC)
    return granted(line, name)


class AtTheBrowser:
    """Somebody who opens the address that a command prints, in a browser on the same machine."""

    def __init__(self, act: Callable[[str], None]) -> None:
        self._act = act
        self._found = ""
        self.failed: BaseException | None = None
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._before = sys.stderr
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(WAITED)
        if self.failed is not None:
            raise self.failed

    def _watch(self) -> None:
        try:
            deadline = time.monotonic() + WAITED
            while time.monotonic() < deadline:
                said = getattr(sys.stderr, "getvalue", str)() if sys.stderr is not self._before else ""
                found = re.search(r"(?:the code (?P<code>\S+):\n)?(?P<address>http\S+)\n", said)
                if found:
                    self._found = found["address"]
                    self._act("\n".join(filter(None, (found["address"], found["code"]))))
                    return
                time.sleep(0.05)
        except BaseException as error:  # noqa: BLE001 - it is raised again where the test is
            self.failed = error
            self._give_up()

    def _give_up(self) -> None:
        """Say no in the provider's name, so that the command does not wait for what will not come."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self._found).query).items()}
        if "redirect_uri" in asked:
            issuer = self._found.partition("/protocol/")[0]
            no = {"error": "access_denied", "state": asked["state"], "iss": issuer}
            follow(f"{asked['redirect_uri']}?{urlencode(no)}")


def signs_in(keycloak: Keycloak, person: Person, factors: int = 2) -> Callable[[str], None]:
    """Gives the factors, and goes where the provider sends them."""

    def act(address: str) -> None:
        back = Browser(keycloak).sign_in(address, person, factors=factors)
        assert follow(back) == 200

    return act


def sign_in(line: Line, act: Callable[[str], None], *options: str, seat: str) -> Answer:
    with AtTheBrowser(act):
        return line("sign-in", "--oidc", *options, seat=seat)


def bound(line: Line, name: str, person: Person) -> Holder:
    line.done("account", "bind", an_account(line, name), "--subject", person.subject)
    return Holder(line, name)


@pytest.fixture
def visitor(line: Line, keycloak: Keycloak) -> Iterator[Holder]:
    """An account that the provider's visitor is bound to, for one test."""
    name = f"visitor-{next(_NUMBERS)}"
    yield bound(line, name, keycloak.people["visitor"])
    line.done("account", "unbind", name, "--reason", "left")


def newest(line: Line, name: str) -> tuple[str, str, str]:
    entry = line.done("audit", "what-saw", name)["entries"][0]
    return entry["action"], entry["outcome"], entry["rule"]


# By the public commands


def test_whoever_the_provider_vouches_for_signs_in_and_acts_as_themselves(
    line: Line, keycloak: Keycloak, visitor: Holder
) -> None:
    child = born(line, a_child())
    answer = sign_in(line, signs_in(keycloak, keycloak.people["visitor"]), seat=visitor.name)
    assert answer.status == 0, answer.json
    assert (answer["how"], answer["stepped_up"]) == ("openid", True)
    assert visitor.done("show", child, "--reason", "casework")["record"]["child_id"] == child
    assert keycloak.people["visitor"].subject not in answer.printed
    shown = line.done("account", "show", visitor.name)
    assert (shown["signs_in_by"], shown["let_in"]) == ("openid", True)
    assert keycloak.people["visitor"].subject not in str(shown)
    assert visitor.done("session", "list")["sessions"][0]["how"] == "openid"


def test_factors_are_given_again_at_the_provider_before_what_asks_for_them(
    line: Line, keycloak: Keycloak, visitor: Holder
) -> None:
    person = keycloak.people["visitor"]
    sign_in(line, signs_in(keycloak, person), seat=visitor.name)
    with AtTheBrowser(signs_in(keycloak, person)):
        stepped = line("session", "step-up", "--oidc", seat=visitor.name)
    assert stepped.status == 0, stepped.json
    assert newest(line, visitor.name) == ("step-up", "granted", "stepped-up")

    with AtTheBrowser(signs_in(keycloak, keycloak.people["stranger"])):
        refused = line("session", "step-up", "--oidc", seat=visitor.name)
    assert refused.code == "step-up-refused"
    assert newest(line, visitor.name) == ("step-up", "refused", "step-up-refused")


def test_by_another_device(line: Line, keycloak: Keycloak, visitor: Holder) -> None:
    def act(said: str) -> None:
        address, code = said.split("\n")
        Browser(keycloak).confirm_device(address, code, keycloak.people["visitor"])

    assert line.provider is not None
    before = line.provider
    line.provider = replace(before, client_id=KIOSK, acr=(), amr=(OTP,))
    try:
        answer = sign_in(line, act, "--device", seat=visitor.name)
    finally:
        line.provider = before
    assert answer.status == 0, answer.json
    assert answer["how"] == "openid"


def test_nobody_unbound_or_ended_is_signed_in_and_nobody_is_told_which(
    line: Line, keycloak: Keycloak
) -> None:
    never = sign_in(line, signs_in(keycloak, keycloak.people["stranger"]), seat="stranger")
    leaver = bound(line, "leaver", keycloak.people["leaver"])
    began = sign_in(line, signs_in(keycloak, keycloak.people["leaver"]), seat=leaver.name)
    assert began.status == 0, began.json

    line.done("account", "end", leaver.name, "--reason", "left")
    leaver.refused("session-ended", "session", "list")
    ended = sign_in(line, signs_in(keycloak, keycloak.people["leaver"]), seat="leaver-again")
    assert (never.status, never.code) == (ended.status, ended.code) == (1, "sign-in-refused")
    assert never.json == ended.json

    # Whoever comes back has another account, and what is bound to the old one does not stand in the way.
    again = bound(line, "leaver-came-back", keycloak.people["leaver"])
    assert sign_in(line, signs_in(keycloak, keycloak.people["leaver"]), seat=again.name).status == 0
    line.done("account", "unbind", again.name, "--reason", "left")
    again.refused("session-ended", "session", "list")
    unbound = sign_in(line, signs_in(keycloak, keycloak.people["leaver"]), seat=again.name)
    assert unbound.json == never.json


def test_nobody_is_found_by_a_name_or_an_address_that_the_provider_tells(
    line: Line, keycloak: Keycloak
) -> None:
    an_account(line, "stranger")  # as the provider's user is called
    refused = sign_in(line, signs_in(keycloak, keycloak.people["stranger"]), seat="namesake")
    assert refused.code == "sign-in-refused"


def test_a_condition_that_does_not_hold_keeps_out_whom_the_provider_vouches_for(
    line: Line, keycloak: Keycloak, visitor: Holder
) -> None:
    line.done("account", "withdraw-condition", visitor.name, "check", "--reason", "requested-by-manager")
    refused = sign_in(line, signs_in(keycloak, keycloak.people["visitor"]), seat=visitor.name)
    assert (refused.status, refused.code) == (1, "check-withdrawn")


def test_an_authenticator_that_was_registered_since_is_the_only_way_in(
    line: Line, keycloak: Keycloak, visitor: Holder
) -> None:
    who = enrolled(line, visitor.name)
    assert (
        sign_in(line, signs_in(keycloak, keycloak.people["visitor"]), seat=visitor.name).code
        == "sign-in-refused"
    )
    assert who.sign_in()["how"] == "password"
    line.done("account", "bind", visitor.name, "--subject", keycloak.people["visitor"].subject)
    who.refused("session-ended", "session", "list")
    assert who.try_to_sign_in().code == "sign-in-refused"
    assert sign_in(line, signs_in(keycloak, keycloak.people["visitor"]), seat=visitor.name).status == 0


def test_one_subject_is_bound_to_one_account(line: Line, keycloak: Keycloak, visitor: Holder) -> None:
    subject = keycloak.people["visitor"].subject
    other = an_account(line, "another-visitor")
    refused = line.refused("subject-bound", "account", "bind", other, "--subject", subject)
    assert subject not in refused.printed
    assert visitor.name not in refused.printed
    line.refused("already-bound", "account", "bind", visitor.name, "--subject", "somebody-else")
    assert line("account", "bind", "account-manager", "--subject", "mine").code == "own-account"


def test_nothing_that_the_provider_calls_people_lies_in_the_databases_in_clear(
    line: Line, keycloak: Keycloak, visitor: Holder
) -> None:
    subject = keycloak.people["visitor"].subject
    assert sign_in(line, signs_in(keycloak, keycloak.people["visitor"]), seat=visitor.name).status == 0
    with line.as_superuser() as connection:
        for table in ("record_log.event", "access_log.event", "record_log.reservation", "sign_in.session"):
            rows = connection.execute(f"SELECT t::text FROM {table} AS t").fetchall()
            held = "\n".join(row[0] for row in rows)
            assert held
            assert subject not in held
            assert subject.encode().hex() not in held


# What an attacker does with the answers of a real provider


def authorised(keycloak: Keycloak, of: RelyingParty, person: str = "visitor") -> tuple[Asked, str]:
    """A request and the code that the provider gave for it, which has not been exchanged."""
    asked = of.asked("http://127.0.0.1:9/signed-in")
    back = Browser(keycloak).sign_in(of.address(asked), keycloak.people[person])
    said = parse_qs(urlsplit(back).query)
    assert said["state"] == [asked.state]
    assert said["iss"] == [keycloak.issuer]
    return asked, said["code"][0]


def not_vouched(of: RelyingParty, code: str, asked: Asked) -> str:
    with pytest.raises(NotVouched) as refused:
        of.exchanged(code, asked)
    return refused.value.why


def test_a_code_is_good_once(keycloak: Keycloak) -> None:
    of = party(keycloak)
    asked, code = authorised(keycloak, of)
    assert of.exchanged(code, asked).two_factors
    assert not_vouched(of, code, asked) == "invalid_grant"


def test_a_code_that_was_caught_is_worth_nothing_without_its_verifier(keycloak: Keycloak) -> None:
    of = party(keycloak)
    asked, code = authorised(keycloak, of)
    assert not_vouched(of, code, of.asked(asked.redirect)) == "invalid_grant"


def test_a_code_of_another_request_is_found_out_by_its_nonce(keycloak: Keycloak) -> None:
    of = party(keycloak)
    asked, code = authorised(keycloak, of)
    assert not_vouched(of, code, replace(asked, nonce=of.asked("").nonce)) == "nonce"


def test_a_token_for_another_client_is_not_for_us(keycloak: Keycloak) -> None:
    other = party(keycloak, OTHER_CLIENT)
    asked, code = authorised(keycloak, other)
    status, said = exchanged_as(keycloak, OTHER_CLIENT, code, asked)
    assert status == 200
    assert unverified(said["id_token"])[1]["aud"] == OTHER_CLIENT
    with pytest.raises(NotVouched) as refused:
        party(keycloak)._vouched(said, asked.nonce, None)
    assert refused.value.why == "aud"
    assert isinstance(other._vouched(said, asked.nonce, None), Vouched)


def exchanged_as(keycloak: Keycloak, client: str, code: str, asked: Asked) -> tuple[int, dict[str, str]]:
    from adapters.openid import http

    return http.post(
        f"{keycloak.issuer}/protocol/openid-connect/token",
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": asked.redirect,
            "client_id": client,
            "code_verifier": asked.verifier,
        },
    )


def test_a_token_of_another_issuer_is_not_from_our_provider(keycloak: Keycloak) -> None:
    of = party(keycloak)
    asked, code = authorised(keycloak, of)
    _, said = exchanged_as(keycloak, CLIENT, code, asked)
    elsewhere = replace_issuer(of, keycloak.issuer.replace("staff", "others"))
    with pytest.raises(NotVouched) as refused:
        elsewhere._vouched(said, asked.nonce, None)
    assert refused.value.why == "iss"


def replace_issuer(of: RelyingParty, issuer: str) -> RelyingParty:
    """As if the settings named another provider that has the same keys."""
    metadata = of._provider()
    other = RelyingParty(issuer, of.client_id, of.acr, of.amr, of.clock, waited=of.waited)
    other._metadata = metadata
    return other


class Later:
    """A clock that is ahead."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead


@pytest.mark.parametrize(
    ("ahead", "why"), [(timedelta(minutes=6), "exp"), (timedelta(minutes=-2), "iat")], ids=["late", "early"]
)
def test_a_token_is_good_in_its_time(keycloak: Keycloak, ahead: timedelta, why: str) -> None:
    of = party(keycloak)
    asked, code = authorised(keycloak, of)
    of.clock = Later(ahead)
    assert not_vouched(of, code, asked) == why


def test_one_factor_is_not_two(keycloak: Keycloak, line: Line, visitor: Holder) -> None:
    one = party(keycloak, acr=())
    asked = one.asked("http://127.0.0.1:9/signed-in")
    back = Browser(keycloak).sign_in(one.address(asked), keycloak.people["visitor"], factors=1)
    found = one.exchanged(parse_qs(urlsplit(back).query)["code"][0], asked)
    assert not found.two_factors

    def act(address: str) -> None:
        parts = urlsplit(address)
        wanted = {name: values[0] for name, values in parse_qs(parts.query).items() if name != "acr_values"}
        signs_in(keycloak, keycloak.people["visitor"], 1)(urlunsplit(parts._replace(query=urlencode(wanted))))

    refused = sign_in(line, act, seat=visitor.name)  # whoever sits there asks the provider for less
    assert refused.code == "sign-in-refused"
    assert newest(line, visitor.name) == ("sign-in", "refused", "one-factor")


def test_factors_given_before_are_not_given_now(keycloak: Keycloak) -> None:
    of = party(keycloak)
    browser = Browser(keycloak)
    asked = of.asked("http://127.0.0.1:9/signed-in")
    browser.sign_in(of.address(asked), keycloak.people["visitor"])
    time.sleep(1.1)
    again = of.asked("http://127.0.0.1:9/signed-in")
    back = browser.sign_in(of.address(again), keycloak.people["visitor"])  # on its cookie
    late = replace(again, began_at=again.began_at + timedelta(seconds=31))
    with pytest.raises(NotVouched) as refused:
        of.exchanged(parse_qs(urlsplit(back).query)["code"][0], late, fresh=True)
    assert refused.value.why == "auth_time"

    address = of.address(of.asked("http://127.0.0.1:9/signed-in"), fresh=True)
    assert browser.visit(address) is None, "it asks again, whatever its cookie says"


def test_an_answer_with_another_state_or_in_anothers_name_is_passed_over(
    line: Line, keycloak: Keycloak, visitor: Holder
) -> None:
    person = keycloak.people["visitor"]

    def act(address: str) -> None:
        back = Browser(keycloak).sign_in(address, person)
        others: tuple[dict[str, str | None], ...] = (
            {"state": "another"},
            {"iss": keycloak.issuer.replace("staff", "others")},
            {"iss": None},
            {"code": None},
            {"error": "access_denied"},
        )
        for other in others:
            assert follow(with_query(back, other)) == 400
        assert follow(back.replace("/signed-in", "/elsewhere")) == 400
        assert follow(f"{back}&state=another") == 400
        assert follow(back) == 200

    assert sign_in(line, act, seat=visitor.name).status == 0


def with_query(address: str, other: dict[str, str | None]) -> str:
    parts = urlsplit(address)
    said = {name: values[0] for name, values in parse_qs(parts.query).items()} | other
    left = {name: value for name, value in said.items() if value is not None}
    return urlunsplit(parts._replace(query=urlencode(left)))


def test_the_provider_changes_its_key_and_the_one_before_is_good_no_longer(keycloak: Keycloak) -> None:
    of = party(keycloak)
    asked, code = authorised(keycloak, of)
    _, before = exchanged_as(keycloak, CLIENT, code, asked)
    assert of._vouched(before, asked.nonce, None).two_factors

    keycloak.sign_with_another_key()
    of.clock = Later(timedelta(seconds=11))  # the provider was asked for keys just now
    asked, code = authorised(keycloak, of)
    assert of.exchanged(code, asked).two_factors
    with pytest.raises(NotVouched) as refused:
        of._vouched(before, asked.nonce, None)
    assert refused.value.why == "unknown-key"


def test_a_refusal_of_the_provider_is_told_by_its_code_alone(keycloak: Keycloak) -> None:
    of = party(keycloak)
    assert not_vouched(of, "made-up", of.asked("http://127.0.0.1:9/signed-in")) == "invalid_grant"
    unknown = party(keycloak, "nobody")
    why = not_vouched(unknown, "made-up", unknown.asked("http://127.0.0.1:9/x"))
    assert why in ("invalid_client", "unauthorized_client")


def test_without_a_provider_in_the_settings_nobody_is_sent_to_one(line: Line) -> None:
    provider, line.provider = line.provider, None
    try:
        line.refused("no-provider", "sign-in", "--oidc", status=2)
        line.refused("no-provider", "account", "bind", "teacher", "--subject", "x", status=2)
    finally:
        line.provider = provider


def test_a_provider_that_is_away_signs_nobody_in(line: Line, keycloak: Keycloak) -> None:
    provider = line.provider
    line.provider = ProviderSettings("http://127.0.0.1:9/realms/staff", CLIENT, (TWO,), ())
    try:
        line.refused("provider-away", "sign-in", "--oidc", status=3)
    finally:
        line.provider = provider
