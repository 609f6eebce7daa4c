"""The door at which a provider's answer comes back: one answer is let in, whoever else knocks (RFC 8252, RFC 9207)."""

import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlencode

import pytest

from adapters.openid.loopback import Loopback
from tests.keycloak import follow

ISSUER: Final = "https://sign-in.example.org/realms/staff"
RIGHT: Final = {"code": "a-code", "state": "a-state", "iss": ISSUER}


def knock(
    door: Loopback, *answers: dict[str, str], names_itself: bool = True
) -> tuple[dict[str, str] | None, list[int]]:
    """What the door takes, and how each who knocked was answered."""
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(door.answer, "a-state", ISSUER, names_itself=names_itself, seconds=20)
        statuses = [follow(f"{door.address}?{urlencode(one)}") for one in answers]
        return waiting.result(), statuses


@pytest.mark.parametrize(
    "wrong",
    [
        {**RIGHT, "state": "another"},
        {**RIGHT, "iss": "https://another.example.org"},
        {"code": "a-code", "state": "a-state"},
        {"code": "a-code", "iss": ISSUER},
        {**RIGHT, "error": "access_denied"},
        {"state": "a-state", "iss": ISSUER},
        {},
    ],
    ids=["of another request", "of another provider", "unnamed", "stateless", "both", "neither", "empty"],
)
def test_what_is_no_answer_is_passed_over_and_the_right_one_still_taken(wrong: dict[str, str]) -> None:
    with Loopback() as door:
        assert knock(door, wrong, RIGHT) == (RIGHT, [400, 200])


def test_a_provider_that_does_not_name_itself_need_not() -> None:
    unnamed = {"code": "a-code", "state": "a-state"}
    with Loopback() as door:
        assert knock(
            door, {**unnamed, "iss": "https://another.example.org"}, unnamed, names_itself=False
        ) == (
            unnamed,
            [400, 200],
        )


def test_a_refusal_is_an_answer() -> None:
    no = {"error": "access_denied", "state": "a-state", "iss": ISSUER}
    with Loopback() as door:
        assert knock(door, no) == (no, [200])


def test_nobody_answers_in_time() -> None:
    with Loopback() as door:
        assert door.answer("a-state", ISSUER, names_itself=True, seconds=0.05) is None


def test_the_door_is_on_this_machine_alone_and_closed_afterwards() -> None:
    with Loopback() as door:
        assert door.address.startswith("http://127.0.0.1:")
        port = int(door.address.split(":")[2].split("/")[0])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0
