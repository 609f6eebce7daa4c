"""A witness: what it signs, what it refuses, and that nothing is published without those that the policy asks for."""

import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from adapters.seals import tree
from adapters.seals.keys import signer_in
from adapters.seals.notes import Checkpoint, Kind, Note, Signer
from adapters.seals.policy import Policy, WitnessKey
from adapters.seals.tiles import SealBroken
from adapters.seals.witness import AskedWitnesses, Reply, Witness, WitnessServer, over_http
from domain.errors import Unavailable
from tests.rows import a_stream
from tests.seals import NAME, NOW, Site, memory_site, naive_proof

LOG = Signer.make(NAME, Kind.LOG)
LEAVES = [tree.leaf(bytes([number])) for number in range(40)]


@pytest.fixture
def witness(tmp_path: Path) -> Witness:
    key = signer_in(tmp_path / "witness" / "key", "witness.invalid", Kind.WITNESS)
    return Witness(tmp_path / "witness", key, {NAME: LOG.verifier}, lambda: NOW)


def note(size: int, leaves: list[bytes] = LEAVES, signer: Signer = LOG) -> Note:
    text = Checkpoint(signer.verifier.name, size, tree.root(leaves[:size])).text()
    return Note(text, (signer.sign(text),))


def asked(old: int, new: Note, leaves: list[bytes] = LEAVES) -> str:
    from adapters.seals.notes import encoded

    size = Checkpoint.of(new.text).size
    proof = naive_proof(old, leaves[:size]) if 0 < old < size else []
    return f"old {old}\n{''.join(encoded(one) + chr(10) for one in proof)}\n{new}"


def test_it_signs_what_continues_and_remembers_it(witness: Witness) -> None:
    for old, size in ((0, 0), (0, 3), (3, 3), (3, 17), (17, 40)):
        reply = witness.add(asked(old, note(size)))
        assert reply.status == 200
        signed = Note(note(size).text, (reply.body,))
        assert signed.signed_by(witness.signer.verifier) == int(NOW.timestamp())
    again = Witness(witness.folder, witness.signer, witness.logs, witness.now)
    assert again.add(asked(3, note(17))) == Reply(409, "40\n")


def test_what_it_refuses(witness: Witness) -> None:
    assert witness.add(asked(0, note(20))).status == 200
    rewritten = [tree.leaf(b"rewritten"), *LEAVES[1:]]
    assert witness.add(asked(20, note(40, rewritten), rewritten)).status == 422
    assert witness.add(asked(20, note(20, rewritten))) == Reply(409, "20\n")
    assert witness.add(asked(0, note(30))) == Reply(409, "20\n")
    assert witness.add(asked(20, note(10))).status == 400
    assert witness.add(asked(20, note(30, signer=Signer.make("other.invalid", Kind.LOG)))).status == 404
    assert witness.add(asked(20, note(30, signer=Signer.make(NAME, Kind.LOG)))).status == 403
    for request in (
        "",
        "old 20",
        "old x\n\n",
        "old 20\nAAAA\n\n" + str(note(30)),
        "new 20\n\n" + str(note(30)),
    ):
        assert witness.add(request).status == 400
    assert witness.add(asked(20, note(30))).status == 200, "and is none the worse for it"


@pytest.fixture
def served(witness: Witness) -> Iterator[WitnessServer]:
    with WitnessServer(witness, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_over_http(served: WitnessServer) -> None:
    key = WitnessKey("one", served.witness.signer.verifier, served.url)
    assert over_http(key, asked(0, note(5))).status == 200
    assert over_http(key, asked(0, note(5))) == Reply(409, "5\n")
    assert over_http(WitnessKey("one", key.key, f"{served.url}/elsewhere"), asked(5, note(5))).status == 404
    where = urlsplit(served.url)
    connection = HTTPConnection(str(where.hostname), where.port, timeout=5)
    for body, headers in ((b"\xff\xfe", {}), (b"", {"Content-Length": str(10**7)})):
        connection.request("POST", "/add-checkpoint", body, headers)
        answer = connection.getresponse()
        assert answer.status == 400
        answer.read()
        connection.close()
    with pytest.raises(Unavailable):
        over_http(WitnessKey("none", key.key, "http://127.0.0.1:9"), "")


class Auditors:
    """Witnesses in this process. `away`: those that do not answer."""

    def __init__(self, folder: Path, log: Signer, names: tuple[str, ...] = ("a", "b", "c")) -> None:
        self.away: set[str] = set()
        self.all = {
            name: Witness(
                folder / name,
                signer_in(folder / name / "key", f"{name}.invalid", Kind.WITNESS),
                {NAME: log.verifier},
                lambda: NOW,
            )
            for name in names
        }
        lines = [f"witness {name} {one.signer.verifier} http://x.invalid" for name, one in self.all.items()]
        self.policy = Policy.of("\n".join([*lines, "group two 2 a b c", "quorum two"]))

    def ask(self, witness: WitnessKey, request: str) -> Reply:
        if witness.name in self.away:
            raise Unavailable("away")
        return self.all[witness.name].add(request)

    def asked(self) -> AskedWitnesses:
        return AskedWitnesses(self.policy, self.ask)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return memory_site(tmp_path / "site")


def test_a_checkpoint_is_published_with_the_cosignatures_that_are_asked_for(
    site: Site, tmp_path: Path
) -> None:
    auditors = Auditors(tmp_path, site.signer)
    auditors.away = {"b"}
    assert site.sealed(a_stream(300), witnesses=auditors.asked()).size == 300
    assert auditors.policy.met_by(Note.of(site.note()))
    assert site.verify(auditors.policy).ok

    auditors.away = {"a", "b"}
    with pytest.raises(Unavailable):
        site.sealed(a_stream(5), witnesses=auditors.asked())
    assert site.checkpoint().size == 300, "without them nothing is published"

    auditors.away = set()
    assert site.sealed(witnesses=auditors.asked()).size == 305, "what was committed meanwhile is, now"
    assert site.verify(auditors.policy).ok


def test_a_checkpoint_without_them_is_wrong(site: Site, tmp_path: Path) -> None:
    site.sealed(a_stream(5))
    verdict = site.verify(Auditors(tmp_path, site.signer).policy)
    assert ["cosignatures" in finding.what for finding in verdict.findings] == [True]


def test_a_log_rewritten_and_signed_with_the_true_key_is_refused(site: Site, tmp_path: Path) -> None:
    auditors = Auditors(tmp_path, site.signer)
    rows = a_stream(20)
    site.sealed(rows, witnesses=auditors.asked())
    false = memory_site(tmp_path / "false")
    (tmp_path / "false").mkdir()
    (tmp_path / "false" / "key").write_text((site.folder / "key").read_text())
    rows[3] = rows[3]._replace(identity=b"another")
    with pytest.raises(SealBroken, match="another history"):
        false.sealed(rows, a_stream(9), witnesses=auditors.asked())
    assert false.tiles.checkpoint() is None
