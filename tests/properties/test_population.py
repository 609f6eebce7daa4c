"""What holds of a population of any size from any seed."""

import io
from collections import Counter

from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st

from cli.population import draws
from domain.identifiers import nhs_number
from ingest.population.files import FILES, write
from ingest.population.numbers import CHILDREN
from ingest.population.numbers import nhs_number as number_at
from ingest.source_record import SourceRecord
from ingest.sources import births, pds
from tests.plugins_counts import count

SEEDS = st.integers(0, 2**63 - 1)


def files_of(children: int, seed: int) -> dict[str, str]:
    out = {source: io.StringIO(newline="") for source in FILES}
    write(children, seed, draws, out)
    return {source: text.getvalue() for source, text in out.items()}


@settings(max_examples=count(2_000))
@whatever(st.integers(1, 130), SEEDS)
def test_any_population_is_the_same_again_whole_and_readable(children: int, seed: int) -> None:
    files = files_of(children, seed)
    assert files == files_of(children, seed)

    rows = [line.split(",") for line in files["truth"].splitlines()[1:]]
    assert len({(source, number) for source, number, _ in rows}) == len(rows)
    assert len({person.split("-")[0] for _, _, person in rows}) == children

    for source, parser in (("births", births), ("pds", pds)):
        parsed = list(parser.parse(io.BytesIO(files[source].encode()))) if files[source] else []
        assert all(isinstance(one, SourceRecord) and not one.warnings for one in parsed)
        numbers = Counter(one.source_id for one in parsed if isinstance(one, SourceRecord))
        assert numbers == Counter(number for name, number, _ in rows if name == source)


@settings(max_examples=count(100_000))
@whatever(
    st.lists(st.integers(0, 2 * CHILDREN - 1), min_size=2, max_size=40, unique=True),
    st.integers(0, 9_999_999),
)
def test_different_places_have_different_valid_nhs_numbers(places: list[int], start: int) -> None:
    numbers = [number_at(place, start) for place in places]
    assert len(set(numbers)) == len(numbers)
    assert all(nhs_number(number) == number and number.startswith("9") for number in numbers)
