"""Notes, keys and policies: in the forms that others write them in, and nothing else."""

import pytest

from adapters.seals.notes import BadNote, Checkpoint, Kind, Note, Signer, Verifier, proof_of, proof_text
from adapters.seals.policy import BadPolicy, Policy

# The example of golang.org/x/mod/sumdb/note.
KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
SECRET = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
SIGNATURE = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
SIGNED = f"{TEXT}\n— PeterNeumann {SIGNATURE}\n"
LOG = Signer.make("log.invalid/record", Kind.LOG)
WITNESS = Signer.make("witness.invalid", Kind.WITNESS)
CHECKPOINT = Checkpoint("log.invalid/record", 5, bytes(range(32)))


def test_a_note_of_somebody_elses() -> None:
    assert str(Verifier.of(KEY)) == KEY
    assert Note.of(SIGNED).signed_by(Verifier.of(KEY)) == 0
    assert str(Note.of(SIGNED)) == SIGNED
    signer = Signer.of(SECRET)
    assert signer.secret() == SECRET
    assert str(Note(TEXT, (signer.sign(TEXT),))) == SIGNED


def test_a_checkpoint_signed_and_cosigned() -> None:
    text = CHECKPOINT.text()
    assert text == "log.invalid/record\n5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    note = Note.of(str(Note(text, (LOG.sign(text), WITNESS.sign(text, 1_772_445_600)))))
    assert note.checkpoint(LOG.verifier) == CHECKPOINT
    assert note.signed_by(WITNESS.verifier) == 1_772_445_600
    other = Signer.make("log.invalid/record", Kind.LOG)
    with pytest.raises(BadNote):
        note.checkpoint(other.verifier)


def test_any_byte_of_a_note_changed_is_found() -> None:
    text = CHECKPOINT.text()
    note = str(Note(text, (LOG.sign(text),))).encode()
    for at in range(len(note)):
        for bit in (1, 32):
            changed = note[:at] + bytes([note[at] ^ bit]) + note[at + 1 :]
            with pytest.raises((BadNote, UnicodeDecodeError)):
                Note.of(changed.decode()).checkpoint(LOG.verifier)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x\n",
        "o\n5\n",
        "o\n05\nAAAA\n",
        "o\n-1\nAAAA\n",
        "o\n5\nAAAA\n",
        "o\n5\n" + "A" * 43 + "=",
        "\n5\nAA==\n",
    ],
)
def test_what_is_no_checkpoint(text: str) -> None:
    with pytest.raises(BadNote):
        Checkpoint.of(text)


@pytest.mark.parametrize(
    "line", ["", "a", "a+b", "a+00000000+AA==", KEY.replace("c74f", "c74e"), "PRIVATE+KEY+x"]
)
def test_what_is_no_key(line: str) -> None:
    for read in (Verifier.of, Signer.of):
        with pytest.raises(BadNote):
            read(line)


def test_a_secret_is_not_shown() -> None:
    assert SECRET[-20:] not in repr(Signer.of(SECRET))


def test_a_proof_in_its_text_form() -> None:
    text = CHECKPOINT.text()
    note = str(Note(text, (LOG.sign(text),)))
    proof = [bytes([one]) * 32 for one in range(3)]
    made = proof_text(b"entry", 4, proof, note)
    assert made.startswith("c2sp.org/tlog-proof@v1\nextra ZW50cnk=\nindex 4\nAAAA")
    extra, index, hashes, found = proof_of(made)
    assert (extra, index, hashes, str(found)) == (b"entry", 4, proof, note)
    without = made.replace("extra ZW50cnk=\n", "")
    assert proof_of(without)[:3] == (b"", 4, proof)
    for wrong in (made[5:], made.replace("index 4", "index 04"), made.replace("\n\n", "\n")):
        with pytest.raises(BadNote):
            proof_of(wrong)


def test_a_policy_is_met_by_enough_witnesses() -> None:
    signers = {name: Signer.make(f"{name}.invalid", Kind.WITNESS) for name in ("a", "b", "c")}
    lines = [f"witness {name} {one.verifier} https://{name}.invalid/" for name, one in signers.items()]
    lines += ["# of three, two", "", "group two 2 a b c", "quorum two"]
    policy = Policy.of("\n".join(lines))
    text = CHECKPOINT.text()

    def by(*names: str) -> Note:
        return Note(text, (LOG.sign(text), *(signers[name].sign(text, 1) for name in names)))

    assert not policy.met_by(by("a"))
    assert policy.met_by(by("a", "c"))
    assert policy.witnesses["a"].url == "https://a.invalid"
    assert Policy.of("\n".join([*lines[:3], "quorum b"])).met_by(by("b"))
    assert Policy.of("quorum none").met_by(by())


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 0),
        ("quorum x", 1),
        ("witness a KEY https://a", 1),
        ("quorum none\nquorum none", 2),
        ("group g 1 a", 1),
        ("group g 1", 1),
        ("something else", 1),
        (f"witness a {LOG.verifier} https://a\nquorum a", 1),
        (f"witness a {WITNESS.verifier} https://a\ngroup g 2 a\nquorum g", 2),
    ],
)
def test_what_is_no_policy(text: str, line: int) -> None:
    with pytest.raises(BadPolicy) as raised:
        Policy.of(text)
    assert raised.value.line == line
