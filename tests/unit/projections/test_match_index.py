"""What linking finds a record by."""

from uuid import UUID

from domain.child_record.events import Gender
from ingest.matching.blocking import by_postcode, by_shielded_birth, keys_of
from projections.match_index.queries import candidate_of
from projections.match_index.view import CandidateRow, KeyRow, rows
from projections.projection import as_served
from tests import builders
from tests.builders import BORN, CHILD, a_name, an_address, asserts, registers, the_rules
from tests.unit.projections.journal import Journal


def _rows(*facts: object) -> list[object]:
    journal = Journal()
    journal.tell(CHILD, *facts)  # type: ignore[arg-type]
    return list(rows(as_served(journal.history(CHILD)), the_rules()))


def test_a_record_has_one_candidate_and_a_row_for_each_key() -> None:
    candidate, *keys = _rows(
        registers(nhs_number="9000000009", confidence="verified"), asserts(whereabouts=an_address())
    )
    assert isinstance(candidate, CandidateRow)
    assert candidate[:9] == (
        CHILD, "amira jane", "khan", BORN, "E8 1DY", "9000000009", True, "female", None,
    )  # fmt: skip
    assert (candidate.shielded, candidate.archived) == (False, False)
    assert keys == [KeyRow(key, CHILD) for key in candidate.keys]
    assert by_postcode("E81DY") in candidate.keys


def test_former_names_and_places_stay_findable() -> None:
    history = (registers(names=(a_name(),)), asserts(whereabouts=an_address()))
    moved = asserts(whereabouts=an_address("9 New Road", "M1 1AE"), effective=builders.TODAY.replace(day=3))
    candidate, *_ = _rows(*history, moved)
    assert isinstance(candidate, CandidateRow)
    assert {by_postcode("E81DY"), by_postcode("M11AE")} <= set(candidate.keys)
    assert candidate.postcode == "M1 1AE"


def test_of_a_shielded_record_no_place_and_no_source_is_indexed() -> None:
    candidate, *_ = _rows(registers(), asserts(whereabouts=an_address()), builders.shields())
    assert isinstance(candidate, CandidateRow)
    assert candidate.shielded
    assert candidate.postcode is None
    assert by_shielded_birth(BORN) in candidate.keys
    assert not [key for key in candidate.keys if key[0] in "per"]


def test_a_row_reads_back_as_a_candidate() -> None:
    journal = Journal()
    journal.tell(CHILD, registers())
    row = rows(journal.history(CHILD), the_rules())[0]
    assert isinstance(row, CandidateRow)
    candidate = candidate_of(row)
    assert candidate.gender is Gender.FEMALE
    from domain.child_record.model import fold

    assert candidate.keys == keys_of(fold(journal.history(CHILD)))


def test_a_destroyed_record_is_no_candidate() -> None:
    journal = Journal()
    journal.tell(CHILD, registers())
    journal.destroy(CHILD, UUID(int=9))
    assert rows(journal.history(CHILD), the_rules()) == ()
