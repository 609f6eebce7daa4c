"""Invented holders of accounts: what they have in their heads and on their devices, and how they sign in with it."""

import hmac
import time
from base64 import b32decode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.acceptance.line import Answer, Json, Line

PASSWORD: Final = "seven brass otters hum"
STEP: Final = timedelta(seconds=30)


def code_of(secret: str, step: int) -> str:
    """What a device shows in a time step: RFC 6238 as anybody would write it, another reading than the product's."""
    digest = hmac.digest(b32decode(secret), step.to_bytes(8), "sha1")
    start = digest[-1] & 15
    return f"{(int.from_bytes(digest[start : start + 4]) & 0x7FFFFFFF) % 10**6:06}"


@dataclass
class Holder:
    """Somebody with an account of this name, at a seat of their own. `secret` is on their device."""

    line: Line
    name: str
    secret: str = ""
    password: str = PASSWORD
    used: int = 0

    def code(self) -> str:
        """A code that was not used yet. Waits until there is one: codes of a step to each side are taken."""
        while (now := int(self.now().timestamp()) // 30) + 1 <= self.used:
            if self.line.sets_the_clock:
                self.line.clock += STEP
            else:
                time.sleep(1)
        self.used = max(self.used + 1, now - 1)
        return code_of(self.secret, self.used)

    def now(self) -> datetime:
        """The time, where the home is."""
        return self.line.clock if self.line.sets_the_clock else datetime.now(UTC)

    def enrol(self, enrolment: str) -> "Holder":
        """Register with an account manager's code."""
        begun = self.line.done("enrol", "begin", self.name, "--stdin", typed=(enrolment,), seat=self.name)
        self.secret, self.used = begun["secret"], 0
        typed = (enrolment, self.password, self.code())
        self.line.done("enrol", "complete", self.name, "--stdin", typed=typed, seat=self.name)
        return self

    def try_to_sign_in(
        self, password: str | None = None, code: str | None = None, seat: str | None = None
    ) -> Answer:
        """Sign in; whatever comes of it."""
        typed = (password or self.password, code or self.code())
        return self.line("sign-in", self.name, "--stdin", typed=typed, seat=seat or self.name)

    def sign_in(self, seat: str | None = None) -> Json:
        """Sign in, which succeeds."""
        answer = self.try_to_sign_in(seat=seat)
        assert answer.status == 0, answer.json
        return answer.json

    def step_up(self) -> None:
        """Give a code again."""
        self.line.done("session", "step-up", "--stdin", typed=(self.code(),), seat=self.name)

    def done(self, *words: str) -> Json:
        """Type a command, signed in."""
        return self.line.done(*words, seat=self.name)

    def refused(self, code: str, *words: str, status: int = 1) -> Answer:
        """Type a command that is refused."""
        return self.line.refused(code, *words, seat=self.name, status=status)


def enrolled(line: Line, name: str, manager: str | None = None) -> Holder:
    """The holder of an account in a training home, who has registered an authenticator."""
    issued = line.done("account", "authenticator", name, acting=manager)
    return Holder(line, name).enrol(issued["enrolment"])
