"""A witness: signs a checkpoint only if it continues the last one it saw of that log, and remembers it first.

The rules are those of C2SP tlog-witness, the signature that of tlog-cosignature. A witness belongs to somebody else
than the index and its sealer. It sees origins, sizes and roots, which tell nothing of anybody.
"""

import fcntl
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from adapters.seals import tree
from adapters.seals.notes import BadNote, Checkpoint, Note, Signer, Verifier, decoded, encoded
from adapters.seals.policy import Policy, WitnessKey
from adapters.seals.tiles import SealBroken, Tiles
from domain.errors import Unavailable

PATH: Final = "/add-checkpoint"
SIZE_TYPE: Final = "text/x.tlog.size"
MOST_BYTES: Final = 64 * 1024
MOST_HASHES: Final = 63
TIMEOUT_SECONDS: Final = 5.0
_OK, _BAD, _UNTRUSTED, _UNKNOWN, _CONFLICT, _INCONSISTENT = 200, 400, 403, 404, 409, 422


@dataclass(frozen=True, slots=True)
class Reply:
    """What a witness answers: a status of HTTP, and a body."""

    status: int
    body: str = ""


@dataclass(frozen=True, slots=True)
class Witness:
    """Cosigns the checkpoints of some logs. folder: where it remembers the last one of each."""

    folder: Path
    signer: Signer
    logs: Mapping[str, Verifier]
    now: Callable[[], datetime]

    def add(self, request: str) -> Reply:
        """Answer one request: the size seen last, a consistency proof, a blank line, and the note (tlog-witness)."""
        try:
            old, proof, note = _request(request)
            text = Checkpoint.of(note.text)
        except BadNote:
            return Reply(_BAD)
        log = self.logs.get(text.origin)
        if log is None:
            return Reply(_UNKNOWN)
        if note.signed_by(log) is None:
            return Reply(_UNTRUSTED)
        if old > text.size:
            return Reply(_BAD)
        with self._alone(text.origin) as kept:
            return self._decided(kept, log, old, proof, note, text)

    def _decided(
        self, kept: Tiles, log: Verifier, old: int, proof: Sequence[bytes], note: Note, new: Checkpoint
    ) -> Reply:
        seen = self._seen(kept, log)
        if old != seen.size:
            return Reply(_CONFLICT, f"{seen.size}\n")
        if old == new.size and new.root != seen.root:
            return Reply(_CONFLICT, f"{seen.size}\n")
        if not tree.consistent(proof, old, seen.root, new.size, new.root):
            return Reply(_INCONSISTENT)
        kept.put("checkpoint", str(note))
        return Reply(_OK, self.signer.sign(note.text, int(self.now().timestamp())))

    def _seen(self, kept: Tiles, log: Verifier) -> Checkpoint:
        note = kept.checkpoint()
        return Note.of(note).checkpoint(log) if note else Checkpoint(log.name, 0, tree.EMPTY)

    def _alone(self, origin: str) -> "_Held":
        return _Held(self.folder / sha256(origin.encode()).hexdigest()[:32])


class _Held:
    """The place of one log, for one request at a time, of whatever process."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._handle = -1

    def __enter__(self) -> Tiles:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._handle = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._handle, fcntl.LOCK_EX)
        return Tiles(self._folder)

    def __exit__(self, *_: object) -> None:
        os.close(self._handle)


def _request(text: str) -> tuple[int, list[bytes], Note]:
    head, blank, note = text.partition("\n\n")
    first, *hashes = head.split("\n")
    word, _, old = first.partition(" ")
    if word != "old" or not old.isdecimal() or len(old) > 19 or not blank or len(hashes) > MOST_HASHES:
        raise BadNote("this is not a request to a witness")
    proof = [decoded(one) for one in hashes]
    if any(len(one) != 32 for one in proof):
        raise BadNote("this is not a hash")
    return int(old), proof, Note.of(note)


class WitnessServer(ThreadingHTTPServer):
    """Takes checkpoints over HTTP. Port 0: any that is free; `url` says where."""

    daemon_threads = True

    def __init__(self, witness: Witness, host: str, port: int) -> None:
        self.witness = witness
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.server_address[0]!s}:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    timeout = TIMEOUT_SECONDS

    def do_POST(self) -> None:
        """Answer a request to add a checkpoint."""
        if self.path != PATH:
            self._reply(Reply(_UNKNOWN))
            return
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > MOST_BYTES:
            self._reply(Reply(_BAD))
            return
        try:
            request = self.rfile.read(int(length)).decode()
        except UnicodeDecodeError:
            self._reply(Reply(_BAD))
            return
        self._reply(self.server.witness.add(request))

    def _reply(self, reply: Reply) -> None:
        body = reply.body.encode()
        self.send_response(reply.status)
        if reply.status == _CONFLICT:
            self.send_header("Content-Type", SIZE_TYPE)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
        """Say nothing."""


Ask = Callable[[WitnessKey, str], Reply]
"""Hand a request to a witness. Raises Unavailable."""


class AskedWitnesses:
    """Implements `adapters.seals.sealer.Witnesses`: asks those of a policy, until it is met."""

    def __init__(self, policy: Policy, ask: Ask | None = None) -> None:
        self._policy = policy
        self._ask = ask or over_http
        self._seen: dict[tuple[str, str], int] = {}

    def cosigned(self, note: Note, hashes: tree.Hashes) -> Note:
        """See the protocol. Witnesses that are away do not matter where the others suffice."""
        checkpoint = Checkpoint.of(note.text)
        lines = list(note.signatures)
        for witness in self._policy.witnesses.values():
            with suppress(Unavailable):
                lines += self._cosignature(witness, note, checkpoint, hashes)
        found = Note(note.text, tuple(lines))
        if not self._policy.met_by(found):
            raise Unavailable("Too few witnesses have seen this checkpoint, so it is not published.")
        return found

    def _cosignature(
        self, witness: WitnessKey, note: Note, checkpoint: Checkpoint, hashes: tree.Hashes
    ) -> list[str]:
        """The good cosignatures of one witness. Raises Unavailable; SealBroken where it has seen another history."""
        place = (witness.name, checkpoint.origin)
        old = self._seen.get(place, 0)
        for _ in range(2):
            reply = self._ask(witness, _asked(old, note, checkpoint, hashes))
            if reply.status == _CONFLICT and reply.body.strip().isdecimal():
                told = int(reply.body)
                if told == old or told > checkpoint.size:
                    break
                old = told
                continue
            if reply.status == _OK:
                self._seen[place] = checkpoint.size
                return _good(reply.body, note.text, witness.key)
            if reply.status != _INCONSISTENT:
                raise Unavailable(f"The witness {witness.name} answered with status {reply.status}.")
            break
        raise SealBroken(f"The witness {witness.name} has seen another history of this log, to size {old}.")


def _asked(old: int, note: Note, checkpoint: Checkpoint, hashes: tree.Hashes) -> str:
    proof = tree.consistency(hashes, old, checkpoint.size)
    return f"old {old}\n{''.join(f'{encoded(one)}{chr(10)}' for one in proof)}\n{note}"


def _good(body: str, text: str, key: Verifier) -> list[str]:
    lines = [
        line for line in body.splitlines(keepends=True) if Note(text, (line,)).signed_by(key) is not None
    ]
    if not lines:
        raise Unavailable("A witness answered without a signature of its own.")
    return lines


def over_http(witness: WitnessKey, request: str) -> Reply:
    """Hand a request to a witness over HTTP or HTTPS. Raises Unavailable."""
    url = urlsplit(witness.url)
    kind = {"http": HTTPConnection, "https": HTTPSConnection}.get(url.scheme)
    if kind is None or url.hostname is None:
        raise Unavailable(f"The witness {witness.name} has no address of HTTP.")
    connection = kind(url.hostname, url.port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("POST", url.path + PATH, request.encode(), {"Content-Type": "text/plain"})
        answer = connection.getresponse()
        return Reply(answer.status, answer.read(MOST_BYTES).decode())
    except (OSError, HTTPException, ValueError):
        raise Unavailable(f"The witness {witness.name} cannot be reached.") from None
    finally:
        connection.close()
