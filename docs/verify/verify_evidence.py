"""Checks evidence of a ContactPoint index without any of its software: Python 3.11 and `cryptography`, nothing else.

    python verify_evidence.py FILE [--log-key KEY]… [--witness KEY]… [--cosignatures K] [--older CHECKPOINT]…

FILE is an evidence pack (`audit export`) or a proof of one event (`audit proof`). KEY is a verifier key in one line, or
a file that holds one; get it from somebody other than whoever gave you FILE. CHECKPOINT is a file with a checkpoint
that you kept: the pack must have been made `--since` it. Status 0: everything holds; 1: something does not; 2: usage.

What is checked, and where it is written down:
  - each event's columns and parts hash to its entry, and the entry to its leaf     docs/stored-forms.md, RFC 6962 2.1
  - each leaf is in the tree of the checkpoint (inclusion proof)                    RFC 9162 2.1.3.2
  - the checkpoint is signed by the log, and cosigned by witnesses                  C2SP signed-note, tlog-cosignature
  - the checkpoint continues the one you kept (consistency proof)                   RFC 9162 2.1.4.2
"""

import argparse
import base64
import json
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from struct import pack, unpack
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LOG, WITNESS = 1, 4
EMPTY = sha256(b"").digest()


class Wrong(Exception):
    """Something does not hold. Its words say what."""


# Hashes and proofs ----------------------------------------------------------------------------------------------------


def leaf(entry: bytes) -> bytes:
    """RFC 6962: a zero byte before an entry."""
    return sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    """RFC 6962: a one byte before two subtrees."""
    return sha256(b"\x01" + left + right).digest()


def root_of_inclusion(proof: list[bytes], index: int, size: int, hashed: bytes) -> bytes:
    """The root that a proof leads to from a leaf hash (RFC 9162 2.1.3.2)."""
    at, last = index, size - 1
    for one in proof:
        if last == 0:
            raise Wrong("the proof is longer than the tree is deep")
        if at & 1 or at == last:
            hashed = node(one, hashed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            hashed = node(hashed, one)
        at, last = at >> 1, last >> 1
    if last:
        raise Wrong("the proof is shorter than the tree is deep")
    return hashed


def check_consistency(proof: list[bytes], old: int, old_root: bytes, size: int, root: bytes) -> None:
    """Raise Wrong unless the tree of `old` entries is the beginning of the other (RFC 9162 2.1.4.2)."""
    if old > size:
        raise Wrong("the checkpoint you kept is of a longer log: a part of it is gone")
    if old in (0, size):
        if proof or old_root != (EMPTY if old == 0 else root):
            raise Wrong("the log does not continue the checkpoint you kept: it was rewritten")
        return
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = path[0] if path else b""
    for one in path[1:]:
        if last == 0:
            raise Wrong("the proof of consistency is too long")
        if at & 1 or at == last:
            before, after = node(one, before), node(one, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node(after, one)
        at, last = at >> 1, last >> 1
    if last or before != old_root or after != root:
        raise Wrong("the log does not continue the checkpoint you kept: it was rewritten")


# Entries --------------------------------------------------------------------------------------------------------------


def field(value: bytes) -> bytes:
    """A value behind its length, as every field of an entry stands (docs/stored-forms.md)."""
    return pack(">i", len(value)) + value


def entry_of(event: dict[str, Any], log: int) -> bytes:
    """What the log sealed of an event: hashes of its columns in clear and of its three encrypted parts."""
    at = datetime.strptime(event["recorded_at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    since = at - datetime(1970, 1, 1, tzinfo=UTC)
    micros = (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds
    clear = (
        field(pack(">q", event["position"])) + field(pack(">q", micros))
        + field(UUID(event["event_id"]).bytes) + field(UUID(event["stream_id"]).bytes)
        + field(pack(">i", event["version"])) + field(pack(">h", event["format"]))
        + field(pack(">i", event["period"]))
    )  # fmt: skip
    parts = [base64.b64decode(event[part], validate=True) for part in ("identity", "content", "metadata")]
    head = field(bytes([1])) + field(bytes([log])) + field(pack(">q", event["position"] - 1))
    return head + b"".join(field(sha256(one).digest()) for one in (clear, *parts))


# Notes and keys -------------------------------------------------------------------------------------------------------


class Key:
    """A verifier key: `NAME+HASH+BASE64`, in a line or in a file."""

    def __init__(self, text: str) -> None:
        path = Path(text)
        line = path.read_text("utf-8").strip() if "+" not in text and path.is_file() else text.strip()
        self.name, hashed, key = line.split("+", 2)
        raw = base64.b64decode(key, validate=True)
        self.kind, self.public = raw[0], raw[1:]
        self.id = sha256(self.name.encode() + b"\n" + raw).digest()[:4]
        if self.id.hex() != hashed or len(self.public) != 32 or self.kind not in (LOG, WITNESS):
            raise ValueError("this is not a verifier key")

    def signature_time(self, text: str, lines: list[str]) -> int | None:
        """The time of this key's good signature over a text (0 where it signs none); None where there is none."""
        for line in lines:
            _, name, value = line.split(" ", 2)
            raw = base64.b64decode(value, validate=True)
            if name != self.name or raw[:4] != self.id:
                continue
            signature, message, time = raw[4:], text.encode(), 0
            if self.kind == WITNESS:
                (time,), signature = unpack(">Q", raw[4:12]), raw[12:]
                message = f"cosignature/v1\ntime {time}\n{text}".encode()
            try:
                Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
            except InvalidSignature:
                continue
            return time
        return None


def note_of(note: str) -> tuple[str, list[str]]:
    """The text of a signed note and its signature lines."""
    text, _, rest = note.rpartition("\n\n")
    lines = rest.splitlines()
    if not lines or not all(line.startswith("— ") for line in lines):
        raise Wrong("the checkpoint is not a signed note")
    return text + "\n", lines


def checkpoint_of(note: str, keys: list[Key]) -> tuple[str, int, bytes]:
    """Origin, size and root of a checkpoint that its log has signed with one of these keys."""
    text, lines = note_of(note)
    origin, size, root = text.split("\n")[:3]
    own = [key for key in keys if key.kind == LOG and key.name == origin]
    if not own:
        raise Wrong(f"no key was given for the log {origin}")
    if all(key.signature_time(text, lines) is None for key in own):
        raise Wrong("the checkpoint is not signed with the key of its log")
    return origin, int(size), base64.b64decode(root, validate=True)


def check_witnesses(note: str, witnesses: list[Key], needed: int) -> None:
    """Say which witnesses have cosigned, and when; raise Wrong where those are too few."""
    text, lines = note_of(note)
    seen = 0
    for key in witnesses:
        time = key.signature_time(text, lines)
        if time is not None:
            seen += 1
            print(f"  cosigned by {key.name} at {datetime.fromtimestamp(time, UTC):%Y-%m-%d %H:%M:%S} UTC")
    if seen < needed:
        raise Wrong(f"{seen} of the witnesses have cosigned, and {needed} are asked for")


# A pack, a proof ------------------------------------------------------------------------------------------------------


def check_pack(text: str, options: argparse.Namespace) -> int:
    """Check an evidence pack; how many things are wrong."""
    evidence = json.loads(text)
    if evidence["form"] != "contactpoint-evidence/1":
        raise Wrong("this is not an evidence pack in a form that is known here")
    print(f"Evidence about {evidence['child']}, made {evidence['exported_at']}.")
    wrong = 0
    origins = {note_of(log["checkpoint"])[0].split("\n")[0] for log in evidence["logs"]}
    if not {note.split("\n")[0] for note in options.older} <= origins:
        raise Wrong("a checkpoint you kept is of a log that is not in this evidence")
    for log in evidence["logs"]:
        print(f"The {log['name']} log:")
        try:
            wrong += check_log(log, options)
        except Wrong as failed:
            wrong += 1
            print(f"  WRONG: {failed}")
    return wrong


def check_log(log: dict[str, Any], options: argparse.Namespace) -> int:
    """Check one log of a pack; how many events are not what was sealed."""
    keys = options.log_key
    if not keys:
        keys = [Key(log["key"])]
        print("  key taken from the evidence itself: compare it with what is published elsewhere:")
        print(f"    {log['key']}")
    origin, size, root = checkpoint_of(log["checkpoint"], keys)
    print(f"  checkpoint of {origin}, {size} events, signed by its log")
    check_witnesses(log["checkpoint"], options.witness, options.cosignatures)
    kept = [note for note in options.older if note.split("\n")[0] == origin]
    for note in kept:
        _, old, old_root = checkpoint_of(note, keys)
        proven = log["older"] or {"checkpoint": "", "proof": []}
        if old not in (0, size) and proven["checkpoint"] != note:
            raise Wrong(
                f"the evidence was not made since the checkpoint you kept ({old} events): ask for one"
            )
        check_consistency(
            hashes_of(proven["proof"]) if proven["checkpoint"] == note else [], old, old_root, size, root
        )
        print(f"  continues the checkpoint you kept, of {old} events")
    wrong = 0
    for event in log["events"]:
        hashed = leaf(entry_of(event, log["number"]))
        try:
            if root_of_inclusion(hashes_of(event["proof"]), event["position"] - 1, size, hashed) != root:
                raise Wrong("it is not what was sealed at this position")
        except Wrong as failed:
            wrong += 1
            print(f"  WRONG: event at position {event['position']}: {failed}")
    print(f"  {len(log['events']) - wrong} of {len(log['events'])} events are what was sealed")
    return wrong


def check_proof(text: str, options: argparse.Namespace) -> int:
    """Check a tlog-proof whose extra data is the entry (C2SP tlog-proof); raises Wrong."""
    head, _, note = text.partition("\n\n")
    _, extra, index, *proof = head.split("\n")
    if not options.log_key:
        raise Wrong("a proof holds no key: give --log-key")
    origin, size, root = checkpoint_of(note, options.log_key)
    check_witnesses(note, options.witness, options.cosignatures)
    entry = base64.b64decode(extra.removeprefix("extra "), validate=True)
    at = int(index.removeprefix("index "))
    if root_of_inclusion(hashes_of(proof), at, size, leaf(entry)) != root:
        raise Wrong(f"this is not the entry at position {at + 1}")
    print(f"The entry at position {at + 1} is in {origin}, of {size} events.")
    return 0


def hashes_of(lines: list[str]) -> list[bytes]:
    """Hashes in base64."""
    return [base64.b64decode(line, validate=True) for line in lines]


def main() -> int:
    """Check the file named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--log-key", action="append", default=[], type=Key)
    parser.add_argument("--witness", action="append", default=[], type=Key)
    parser.add_argument("--cosignatures", type=int, default=0, help="how many witnesses must have cosigned")
    parser.add_argument(
        "--older", action="append", default=[], type=lambda name: Path(name).read_text("utf-8")
    )
    options = parser.parse_args()
    try:
        text = options.file.read_text("utf-8")
        check = check_proof if text.startswith("c2sp.org/tlog-proof@v1\n") else check_pack
        wrong = check(text, options)
    except Wrong as failed:
        print(f"WRONG: {failed}")
        return 1
    except (OSError, ValueError, KeyError, TypeError, IndexError) as failed:
        print(f"WRONG: the evidence is not in its form ({type(failed).__name__})")
        return 1
    print("Everything holds." if not wrong else f"{wrong} WRONG.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
