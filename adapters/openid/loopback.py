"""The door at which a provider's answer comes back: a port of the loopback interface (RFC 8252, 7.3)."""

import time
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

PATH: Final = "/signed-in"
_REQUEST_SECONDS: Final = 5.0
_DONE: Final = "This page may be closed: the command line goes on."
_NOT_THIS: Final = "This is no answer to what was asked."


class Loopback:
    """Listens on a free port of 127.0.0.1 for as long as it is entered."""

    def __init__(self) -> None:
        self._answer: dict[str, str] | None = None
        self._state = ""
        self._issuer = ""
        self._names_itself = False
        self._server = HTTPServer(("127.0.0.1", 0), self._handler())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.server_close()

    @property
    def address(self) -> str:
        """Where the provider is to send its answer."""
        return f"http://127.0.0.1:{self._server.server_port}{PATH}"

    def answer(self, state: str, issuer: str, *, names_itself: bool, seconds: float) -> dict[str, str] | None:
        """What the provider answered; None where it did not in time.

        What comes with another state, or in another provider's name (RFC 9207), is no answer and is passed over:
        whatever runs on this machine may knock. names_itself: whether the provider said that it would name itself.
        """
        self._state, self._issuer, self._names_itself = state, issuer, names_itself
        deadline = time.monotonic() + seconds
        while self._answer is None and (left := deadline - time.monotonic()) > 0:
            self._server.timeout = left
            self._server.handle_request()
        return self._answer

    def _heard(self, target: str) -> bool:
        """Whether this is the answer that is waited for; it is kept if so."""
        parts = urlsplit(target)
        try:
            given = parse_qs(parts.query, strict_parsing=True, max_num_fields=20)
        except ValueError:
            return False
        said = {name: values[0] for name, values in given.items() if len(values) == 1}
        if parts.path != PATH or len(said) != len(given) or ("code" in said) == ("error" in said):
            return False
        if not compare_digest(said.get("state", "").encode(), self._state.encode()):
            return False
        named = said.get("iss", None if self._names_itself else self._issuer)
        if named != self._issuer:
            return False
        self._answer = said
        return True

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        door = self

        class Handler(BaseHTTPRequestHandler):
            """One request."""

            timeout = _REQUEST_SECONDS

            def do_GET(self) -> None:
                heard = door._answer is None and door._heard(self.path)
                body = (_DONE if heard else _NOT_THIS).encode()
                self.send_response(200 if heard else 400)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Cache-Control", "no-store")
                self.send_header("Referrer-Policy", "no-referrer")
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing: the address holds a code."""

        return Handler
