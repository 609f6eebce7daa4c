"""Programs that sign in with a key of their own (RFC 7523), through the public commands."""

import json
from base64 import urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from joserfc import jwk, jwt

from cli.bootstrap import open_app
from domain.errors import AccessDenied
from tests.acceptance.conftest import NewHome
from tests.acceptance.line import Answer, Line
from tests.acceptance.people import a_child, born
from tests.acceptance.test_access import CONDITIONS, granted, record

pytestmark = pytest.mark.postgres

AT_ONCE: Final = 8


def fresh_key() -> jwk.Key:
    return jwk.ECKey.generate_key("P-256")


@dataclass
class Program:
    """A program with an account of this name. audience: to whom it was told to address what it signs."""

    line: Line
    name: str
    key: jwk.Key = field(default_factory=fresh_key)
    audience: str = ""

    def file(self, text: str, mode: int = 0o600) -> Path:
        path = self.line.file(text.encode())
        path.chmod(mode)
        return path

    def public(self, key: jwk.Key | None = None) -> str:
        return str(self.file(json.dumps((key or self.key).as_dict(private=False)), 0o644))

    def private(self, mode: int = 0o600) -> str:
        return str(self.file(json.dumps(self.key.as_dict(private=True)), mode))

    def registered(self) -> "Program":
        """Its key registered."""
        shown = self.line.done("account", "add-key", self.name, "--key", self.public())
        self.audience = shown["audience"]
        assert shown["key"] == self.key.thumbprint()
        return self

    def sign_in(self) -> Answer:
        """With its private key."""
        return self.line("sign-in", "--client", self.name, "--key", self.private(), seat=self.name)

    def claims(self, **other: Any) -> dict[str, Any]:
        now = int(self.line.clock.timestamp())
        said = {
            "iss": self.name,
            "sub": self.name,
            "aud": self.audience,
            "exp": now + 60,
            "jti": str(uuid4()),
        }
        return {**said, **other}

    def signed(self, key: jwk.Key | None = None, kid: str | None = None, **other: Any) -> str:
        key = key or self.key
        header = {"alg": "ES256", "kid": kid or key.thumbprint()}
        return jwt.encode(header, self.claims(**other), key, algorithms=["ES256"])

    def signs_in_with(self, token: str, seat: str | None = None) -> Answer:
        """Sign in with what it, or somebody else, signed elsewhere."""
        return self.line("sign-in", "--assertion", str(self.file(token)), seat=seat or self.name)


def a_program(line: Line, name: str) -> Program:
    """One whose account every condition holds of, but for a way to sign in."""
    line.done(
        "account", "grant", name, "--role", "practitioner", "--organisation", "NHS", "--holder", f"H-{name}"
    )
    for condition in CONDITIONS[:-1]:
        record(line, name, condition, line.clock.date())
    return Program(line, name)


def refused(answer: Answer) -> None:
    assert (answer.status, answer.code) == (1, "sign-in-refused"), answer.json


def newest(line: Line, name: str) -> tuple[str, str, str]:
    entry = line.done("audit", "what-saw", name)["entries"][0]
    return entry["action"], entry["outcome"], entry["rule"]


def test_a_program_signs_in_with_its_key_and_acts_as_its_account(line: Line) -> None:
    child = born(line, a_child())
    program = a_program(line, "rota")
    refused(program.sign_in())
    program.registered()
    began = program.sign_in()
    assert began.status == 0, began.json
    assert (began["how"], began["stepped_up"]) == ("private-key", False)
    line.done("show", child, "--reason", "casework", seat="rota")
    shown = line.done("account", "show", "rota")
    assert (shown["signs_in_by"], shown["keys"]) == ("private-key", [program.key.thumbprint()])
    assert str(program.key.as_dict(private=True)["d"]) not in began.printed
    assert newest(line, "rota")[:2] == ("show", "granted")


def test_a_program_gives_no_second_factor(line: Line) -> None:
    program = a_program(line, "no-second-factor").registered()
    assert program.sign_in().status == 0
    line.refused("step-up-refused", "session", "step-up", "--stdin", typed=("123456",), seat=program.name)


def test_an_assertion_that_somebody_else_keeps_the_key_of(line: Line) -> None:
    program = a_program(line, "key-elsewhere").registered()
    assert program.signs_in_with(program.signed()).status == 0
    assert program.signs_in_with(program.signed(exp=int(line.clock.timestamp()) + 300)).status == 0


def test_an_assertion_is_good_once(line: Line) -> None:
    program = a_program(line, "once").registered()
    token = program.signed()
    assert program.signs_in_with(token).status == 0
    refused(program.signs_in_with(token, seat="somebody who caught it"))
    assert newest(line, program.name) == ("sign-in", "refused", "assertion-used")


def test_an_assertion_is_good_once_also_in_parallel(line: Line) -> None:
    program = a_program(line, "at-once").registered()
    token = program.signed()
    with open_app(line.home, line.settings) as app:
        clients, now = app.vouching[1], app.now()

        def try_it(_: int) -> int:
            with suppress(AccessDenied):
                return len(clients.sign_in(token, now).token[:1])
            return 0

        with ThreadPoolExecutor(AT_ONCE) as threads:
            assert sum(threads.map(try_it, range(AT_ONCE))) == 1


def test_what_is_not_right_is_refused_alike(line: Line) -> None:
    program, other = a_program(line, "right").registered(), a_program(line, "other").registered()
    now = int(line.clock.timestamp())
    unsigned = urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    wrong = {
        "of a program that there is not": program.signed(sub="nobody", iss="nobody"),
        "with the key of another program": program.signed(other.key),
        "with it, in the name of its own": program.signed(other.key, kid=program.key.thumbprint()),
        "issued by another": program.signed(iss="other"),
        "for another index": program.signed(aud="urn:contactpoint:sign-in:elsewhere"),
        "expired": program.signed(exp=now - 1),
        "good for an hour": program.signed(exp=now + 3600),
        "without an id": program.signed(jti=""),
        "unsigned": f"{unsigned}.{program.signed().split('.')[1]}.",
        "no token": "zqx7",
    }
    told = {what: program.signs_in_with(token, seat="attacker") for what, token in wrong.items()}
    for answer in told.values():
        refused(answer)
    assert len({json.dumps(answer.json) for answer in told.values()}) == 1, "it is told apart by nothing"
    assert program.signs_in_with(program.signed()).status == 0


def test_keys_change_over_without_a_gap_and_a_revoked_one_ends_what_it_began(line: Line) -> None:
    program = a_program(line, "changes-over").registered()
    old, new = program.key, fresh_key()
    assert program.sign_in().status == 0
    line.done("account", "add-key", program.name, "--key", program.public(new))
    line.done("session", "list", seat=program.name)  # who is signed in stays so
    assert program.signs_in_with(program.signed(old)).status == 0
    assert program.signs_in_with(program.signed(new), seat="its second machine").status == 0
    line.refused("too-many-keys", "account", "add-key", program.name, "--key", program.public(fresh_key()))

    caught = program.signed(old)
    line.done("account", "revoke-key", program.name, old.thumbprint(), "--reason", "left")
    line.refused("session-ended", "session", "list", seat=program.name)
    refused(program.signs_in_with(caught))
    assert program.signs_in_with(program.signed(new)).status == 0

    line.done("account", "revoke-key", program.name, new.thumbprint(), "--reason", "left")
    line.refused("session-ended", "session", "list", seat=program.name)
    refused(program.signs_in_with(program.signed(new)))
    shown = line.done("account", "show", program.name)
    assert (shown["signs_in_by"], shown["keys"], shown["let_in"]) == (None, [], False)


def test_a_thumbprint_that_begins_like_an_option_is_none(line: Line) -> None:
    """One in sixty-four does."""
    key = next(made for made in (fresh_key() for _ in count()) if made.thumbprint().startswith("-"))
    program = replace(a_program(line, "hyphened"), key=key).registered()
    line.done("account", "revoke-key", program.name, key.thumbprint(), "--reason", "left")
    assert line.done("account", "show", program.name)["keys"] == []


def test_a_key_that_is_revoked_between_its_check_and_the_session_begins_none(line: Line) -> None:
    program = a_program(line, "this-very-moment").registered()
    second = fresh_key()
    line.done("account", "add-key", program.name, "--key", program.public(second))
    token = program.signed()
    with open_app(line.home, line.settings) as app:
        clients = app.vouching[1]

        class RevokedMeanwhile:
            """An account manager is a moment faster."""

            def use(self, digest: bytes, until: datetime, at: datetime) -> bool:
                line.done("account", "revoke-key", program.name, program.key.thumbprint(), "--reason", "left")
                return clients.used.use(digest, until, at)

        with pytest.raises(AccessDenied) as found:
            replace(clients, used=RevokedMeanwhile()).sign_in(token, app.now())
        assert found.value.code == "sign-in-refused"
        account = app.account_id(program.name)
        assert app.signing.sessions.kept.of(account) == []


def test_an_ended_account_and_a_lapsed_condition_keep_a_program_out(line: Line) -> None:
    program = a_program(line, "keeps-out").registered()
    line.done("account", "withdraw-condition", program.name, "training", "--reason", "left")
    answer = program.sign_in()
    assert (answer.status, answer.code) == (1, "training-withdrawn")
    line.done("account", "end", program.name, "--reason", "left")
    refused(program.sign_in())


def test_an_account_is_a_persons_or_a_programs(line: Line) -> None:
    program = a_program(line, "program").registered()
    issuer = ("--issuer", "https://sign-in.example.org")
    line.refused("is-a-client", "account", "bind", program.name, "--subject", "x", *issuer)
    person = granted(line, "person")
    line.done("account", "bind", person, "--subject", "person-1", *issuer)
    line.refused("already-bound", "account", "add-key", person, "--key", program.public())


def test_nobody_gives_themselves_a_key(line: Line) -> None:
    program = Program(line, "account-manager")
    line.refused("own-account", "account", "add-key", "account-manager", "--key", program.public())


def test_a_key_is_read_from_a_file_that_nobody_else_may_read(line: Line) -> None:
    program = a_program(line, "readable").registered()
    for mode in (0o644, 0o640, 0o604):
        words = ("sign-in", "--client", program.name, "--key", program.private(mode))
        line.refused("key-exposed", *words, status=2, seat=program.name)
    public = str(program.file(json.dumps(program.key.as_dict(private=False))))
    line.refused("not-a-key", "sign-in", "--client", program.name, "--key", public, status=2)


def test_a_private_key_is_not_registered(line: Line) -> None:
    program = a_program(line, "gives-it-away")
    answer = line.refused(
        "private-key-given", "account", "add-key", program.name, "--key", program.private(), status=2
    )
    assert str(program.key.as_dict(private=True)["d"]) not in answer.printed
    assert line.done("account", "show", program.name)["keys"] == []


def test_ways_of_signing_in_are_not_mixed(line: Line) -> None:
    program = a_program(line, "mixes")
    for words in (
        (),
        (program.name, "--oidc"),
        ("--device",),
        ("--client", program.name),
        ("--key", program.private()),
        ("--oidc", "--client", program.name, "--key", program.private()),
        ("--assertion", program.public(), "--stdin"),
    ):
        line.refused("usage", "sign-in", *words, status=2)


def test_another_home_is_another_audience(line: Line, new_home: NewHome) -> None:
    elsewhere = new_home()
    elsewhere.clock = line.clock
    here, there = (a_program(one, "two-homes") for one in (line, elsewhere))
    there.key = here.key
    here.registered()
    there.registered()
    assert here.audience != there.audience
    token = here.signed()
    refused(there.signs_in_with(token))
    assert here.signs_in_with(token).status == 0
