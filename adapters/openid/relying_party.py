"""A relying party for the command line: a native application without a secret of its own (RFC 8252).

By authorization code with PKCE (RFC 7636), the answer coming back to this machine's loopback interface; or, where there
is no browser on this machine, by device grant (RFC 8628). Nothing that is learnt is kept but who is vouched for.
"""

import hashlib
import re
import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from adapters.openid import http
from adapters.openid.id_token import Expected, vouched
from adapters.openid.jose import NotVerified
from adapters.openid.loopback import Loopback
from adapters.openid.provider import Keys, Metadata, discovered
from domain.errors import AccessDenied
from domain.federation import Vouched
from domain.ports import Clock

WAITED_SECONDS: Final = 300.0
"""So long somebody has to give their factors to the provider."""
_GRANT_DEVICE: Final = "urn:ietf:params:oauth:grant-type:device_code"
_POLL_SECONDS: Final = 5
_SLOWER_SECONDS: Final = 5
_ERROR: Final = re.compile(r"[a-z_]{1,40}")


class NotVouched(AccessDenied):
    """The provider vouches for nobody, or its word is not accepted. `why`: what was wrong with it, a code."""

    code = "not-vouched"

    def __init__(self, why: str) -> None:
        super().__init__(
            f"The provider vouches for nobody, or its answer is not accepted ({why}). Sign in again; if it stays so, "
            "ask whoever runs the provider.",
        )
        self.why = why


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request on its way: what its answer is held against."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    redirect: str
    began_at: datetime


@dataclass(slots=True)
class RelyingParty:
    """What asks one provider. acr, amr: what it says of a sign-in with two factors; any one of these is enough."""

    issuer: str
    client_id: str
    acr: tuple[str, ...]
    amr: tuple[str, ...]
    clock: Clock
    waited: float = WAITED_SECONDS
    _metadata: Metadata | None = None
    _keys: Keys | None = None

    def by_code(self, show: Callable[[str], None], *, fresh: bool = False) -> Vouched:
        """Have somebody give their factors in a browser on this machine. show: is told the address to open there.

        fresh: they give them now, however long ago they last did. Raises NotVouched, ProviderAway.
        """
        with Loopback() as door:
            asked = self.asked(door.address)
            show(self.address(asked, fresh=fresh))
            names_itself = self._provider().names_itself
            answer = door.answer(asked.state, self.issuer, names_itself=names_itself, seconds=self.waited)
        if answer is None:
            raise NotVouched("no-answer")
        if "code" not in answer:
            raise NotVouched(_error(answer))
        return self.exchanged(answer["code"], asked, fresh=fresh)

    def asked(self, redirect: str) -> Asked:
        """A request with secrets of its own."""
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        return Asked(state, nonce, verifier, redirect, self.clock.now())

    def address(self, asked: Asked, *, fresh: bool = False) -> str:
        """The address at which the provider is asked."""
        digest = hashlib.sha256(asked.verifier.encode("ascii")).digest()
        wanted = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": asked.redirect,
            "scope": "openid",  # nothing else: neither names nor addresses are wanted
            "state": asked.state,
            "nonce": asked.nonce,
            "code_challenge": urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        if self.acr:
            wanted["acr_values"] = " ".join(self.acr)
        if fresh:
            wanted |= {"max_age": "0", "prompt": "login"}
        address = self._provider().authorization
        return f"{address}{'&' if '?' in address else '?'}{urlencode(wanted)}"

    def exchanged(self, code: str, asked: Asked, *, fresh: bool = False) -> Vouched:
        """Whom the provider vouches for, for a code. Raises NotVouched, ProviderAway."""
        status, said = http.post(
            self._provider().token,
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": asked.redirect,
                "client_id": self.client_id,
                "code_verifier": asked.verifier,
            },
        )
        if status != 200:
            raise NotVouched(_error(said))
        return self._vouched(said, asked.nonce, asked.began_at if fresh else None)

    def by_device(self, show: Callable[[str, str], None]) -> Vouched:
        """Have somebody give their factors on another device. show: is told the address, and the code to type there.

        Raises NotVouched, ProviderAway.
        """
        address = self._provider().device
        if address is None:
            raise NotVouched("no-device-grant")
        verifier = secrets.token_urlsafe(32)
        digest = hashlib.sha256(verifier.encode("ascii")).digest()
        wanted = {
            "client_id": self.client_id,
            "scope": "openid",
            "code_challenge": urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        if self.acr:
            wanted["acr_values"] = " ".join(self.acr)
        status, said = http.post(address, wanted)
        if status != 200 or not all(
            isinstance(said.get(name), str) for name in ("device_code", "user_code", "verification_uri")
        ):
            raise NotVouched(_error(said))
        show(said["verification_uri"], said["user_code"])
        interval = said.get("interval")
        pause = float(interval) if isinstance(interval, int) and 0 < interval < 60 else float(_POLL_SECONDS)
        deadline = time.monotonic() + self.waited
        while time.monotonic() + pause < deadline:
            time.sleep(pause)
            status, answer = http.post(
                self._provider().token,
                {
                    "grant_type": _GRANT_DEVICE,
                    "device_code": said["device_code"],
                    "client_id": self.client_id,
                    "code_verifier": verifier,
                },
            )
            if status == 200:
                return self._vouched(answer, None, None)
            if answer.get("error") == "slow_down":
                pause += _SLOWER_SECONDS
            elif answer.get("error") != "authorization_pending":
                raise NotVouched(_error(answer))
        raise NotVouched("no-answer")

    def _vouched(self, said: dict[str, Any], nonce: str | None, since: datetime | None) -> Vouched:
        token, access_token = said.get("id_token"), said.get("access_token")
        if not isinstance(token, str):
            raise NotVouched("no-id-token")
        expected = Expected(
            self.issuer, self.client_id, nonce, since, frozenset(self.acr), frozenset(self.amr)
        )
        if self._keys is None:
            self._keys = Keys(self._provider().keys)
        try:
            return vouched(
                token,
                access_token if isinstance(access_token, str) else None,
                expected,
                self._keys,
                self.clock.now(),
            )
        except NotVerified as refused:
            raise NotVouched(refused.why) from None

    def _provider(self) -> Metadata:
        if self._metadata is None:
            self._metadata = discovered(self.issuer)
        return self._metadata


def _error(said: dict[str, Any]) -> str:
    """The provider's own code of an error (RFC 6749, 5.2); its words are not repeated."""
    code = said.get("error")
    return code if isinstance(code, str) and _ERROR.fullmatch(code) else "no-answer"
