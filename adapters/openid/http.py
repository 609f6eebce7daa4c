"""Asking a provider: HTTPS alone (plain HTTP on this machine itself), no redirects, little time, short answers."""

import json
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, Final
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

from domain.errors import Unavailable

SECONDS: Final = 10
_MOST_BYTES: Final = 1 << 20
_THIS_MACHINE: Final = frozenset({"127.0.0.1", "::1", "localhost"})


class ProviderAway(Unavailable):
    """The provider cannot be reached, or answers nothing that can be used."""

    code = "provider-away"


class _NoRedirects(HTTPRedirectHandler):
    """Nobody is sent on to where nobody said that we should ask."""

    def redirect_request(
        self, _request: Request, _file: IO[bytes], _code: int, _message: str, _headers: HTTPMessage, _url: str
    ) -> None:
        return None


def is_safe(address: object) -> bool:
    """Whether it is an address that may be asked: HTTPS, or HTTP on this machine."""
    if not isinstance(address, str) or any(one.isspace() for one in address):
        return False
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return False
    if parts.username is not None or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _THIS_MACHINE)


def get(address: str) -> dict[str, Any]:
    """A JSON object. Raises ProviderAway."""
    status, said = _asked(Request(address, headers={"Accept": "application/json"}))  # noqa: S310 - `is_safe` by then
    if status != 200:
        raise ProviderAway("The provider did not answer as one that can be used. Try again.")
    return said


def post(address: str, fields: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of a form that was sent. Raises ProviderAway."""
    request = Request(  # noqa: S310 - `is_safe` by then
        address,
        data=urlencode(fields).encode("ascii"),
        headers={"Accept": "application/json", "Content-Type": "application/x-www-form-urlencoded"},
    )
    return _asked(request)


def _asked(request: Request) -> tuple[int, dict[str, Any]]:
    if not is_safe(request.full_url):
        raise ProviderAway("The provider names an address that is not HTTPS, so it is not asked.")
    opener = build_opener(_NoRedirects, ProxyHandler({}))
    status, body = 0, b""
    try:
        try:
            with opener.open(request, timeout=SECONDS) as answer:
                status, body = answer.status, answer.read(_MOST_BYTES + 1)
        except HTTPError as refused:
            with refused:
                status, body = refused.code, refused.read(_MOST_BYTES + 1)
        said = json.loads(body) if len(body) <= _MOST_BYTES else None
    except (OSError, HTTPException, ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise ProviderAway("The provider cannot be reached, or did not answer as one does. Try again.")
    return status, said
