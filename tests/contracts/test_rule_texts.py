"""The contract of `domain.ports.RuleTexts`."""

import hashlib
from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from adapters.memory.rule_texts import MemoryRuleTexts
from adapters.postgres.databases import Databases, Role
from adapters.postgres.rule_texts import PostgresRuleTexts
from adapters.rule_files import packaged
from domain.ports import RuleTexts

TEXT = packaged()["present"].text


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
def texts(request: pytest.FixtureRequest) -> Iterator[RuleTexts]:
    if request.param == "memory":
        yield MemoryRuleTexts()
        return
    with closing(PostgresRuleTexts(request.getfixturevalue("databases").record)) as kept:
        yield kept


def test_a_text_comes_back_byte_for_byte_under_its_digest(texts: RuleTexts) -> None:
    digest = texts.keep(TEXT)
    assert digest == hashlib.sha256(TEXT).digest()
    assert texts.text(digest) == TEXT


def test_keeping_it_again_changes_nothing(texts: RuleTexts) -> None:
    assert texts.keep(TEXT) == texts.keep(TEXT)
    assert texts.text(texts.keep(TEXT)) == TEXT


def test_half_a_digest_finds_it_too(texts: RuleTexts) -> None:
    assert texts.text(texts.keep(TEXT)[:16]) == TEXT


def test_what_is_not_kept_is_not_found(texts: RuleTexts) -> None:
    digest = hashlib.sha256(b"never kept").digest()
    assert texts.text(digest) is None
    assert texts.text(digest[:16]) is None
    assert texts.text(texts.keep(TEXT)[:16] + bytes(16)) is None


@pytest.mark.postgres
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rules.text SET text = 'x', digest = sha256('x')",
        "DELETE FROM rules.text",
        "TRUNCATE rules.text",
        "INSERT INTO rules.text VALUES (sha256('x'), 'y')",
    ],
)
def test_not_even_the_owner_of_the_tables_changes_one(databases: Databases, statement: str) -> None:
    with closing(PostgresRuleTexts(databases.record)) as texts:
        digest = texts.keep(TEXT)
        with databases.record.connect(Role.MIGRATION) as connection:
            connection.execute("SET ROLE contactpoint_owner")
            with pytest.raises(psycopg.Error):
                connection.execute(statement.encode())
        assert texts.text(digest) == TEXT
