"""Key-encryption keys in files."""

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.key_rows import GenerationGone
from adapters.keys.kek import KekFiles, begin


def test_the_first_generation_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "home" / "kek"
    kek = KekFiles(folder, "keyring")
    begin(kek)
    (file,) = folder.iterdir()
    text = file.read_text("ascii")
    begin(KekFiles(folder, "keyring"))
    assert file.name == "keyring-1.key"
    assert file.read_text("ascii") == text
    assert len(bytes.fromhex(text)) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_of_two_makers_one_wins_and_no_half_made_file_is_left(tmp_path: Path) -> None:
    one, other = KekFiles(tmp_path, "keyring"), KekFiles(tmp_path, "keyring")
    one.create(1)
    sealed = one.of(1).encrypt(bytes(12), b"x", None)
    other.create(1)
    assert other.of(1).decrypt(bytes(12), sealed, None) == b"x"
    assert [path.name for path in tmp_path.iterdir()] == ["keyring-1.key"]


def test_the_two_databases_have_keys_of_their_own(tmp_path: Path) -> None:
    keyring, shielded = KekFiles(tmp_path, "keyring"), KekFiles(tmp_path, "shielded")
    keyring.create(1)
    with pytest.raises(GenerationGone, match="shielded"):
        shielded.newest()
    shielded.create(1)
    assert keyring.of(1).encrypt(bytes(12), b"x", None) != shielded.of(1).encrypt(bytes(12), b"x", None)


def test_generations_are_numbers_not_text(tmp_path: Path) -> None:
    kek = KekFiles(tmp_path, "keyring")
    for generation in (2, 10, 9):
        kek.create(generation)
    (tmp_path / "keyring-x.key").write_text("")
    (tmp_path / "keyring-11.key.old").write_text("")
    assert kek.generations() == [2, 9, 10]
    assert kek.newest()[0] == 10


def test_a_new_generation_is_seen_by_those_that_run(tmp_path: Path) -> None:
    running = KekFiles(tmp_path, "keyring")
    running.create(1)
    assert running.newest()[0] == 1
    KekFiles(tmp_path, "keyring").create(2)
    assert running.newest()[0] == 2


def test_a_destroyed_generation_is_gone(tmp_path: Path) -> None:
    kek = KekFiles(tmp_path, "keyring")
    kek.create(1)
    kek.create(2)
    assert isinstance(kek.of(1), AESGCM)
    kek.destroy(1)
    kek.destroy(1)
    assert kek.generations() == [2]
    with pytest.raises(GenerationGone):
        kek.of(1)


@pytest.mark.parametrize("content", ["", "zz", "00" * 31, "é"])
def test_a_file_that_is_no_key_is_refused_in_words(tmp_path: Path, content: str) -> None:
    (tmp_path / "keyring-1.key").write_text(content, "utf-8")
    with pytest.raises(GenerationGone) as refused:
        KekFiles(tmp_path, "keyring").newest()
    assert "Put it back" in refused.value.message
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_missing_folder_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(GenerationGone):
        KekFiles(tmp_path / "nowhere", "keyring").newest()
