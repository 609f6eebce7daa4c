"""A load on a real server comes to what it comes to in memory."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.loading import Index, a_births_file, a_patient, an_entry, in_postgres, ndjson, restricted

pytestmark = pytest.mark.postgres

SAMPLES: Final = Path(__file__).parents[1] / "samples" / "sources"
OF_PDS: Final = ("patient.json", "related_persons.json", "twins.ndjson", "broken.ndjson", "restricted.json")
NEAR: Final = a_patient("9434765870", name=[{"family": "Thornton", "given": ["Emelia"]}])


@pytest.fixture(params=[3, 500])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Index]:
    made = in_postgres(request.getfixturevalue("make_databases")(), tmp_path / "kek")
    yield Index(made, chunk=request.param)
    made[1].close()


def history(index: Index) -> list[Any]:
    """Load much, take some of it back, and say what came of each step."""
    births = a_births_file(an_entry(), an_entry(entry_id="2", given_names="Cora", nhs_number=""))
    steps: list[Any] = [index.load("births", births).counts]
    loaded = index.load("births", a_births_file(an_entry(), an_entry(entry_id="3", surname="Khan")))
    steps.append(loaded.counts)
    steps += [index.load("pds", (SAMPLES / "pds" / sample).read_bytes()).counts for sample in OF_PDS]
    steps.append(index.load("births", (SAMPLES / "births" / "broken.csv").read_bytes()).counts)
    doubtful = index.load("pds", ndjson(a_patient(birthDate="2016-04-12"), NEAR, restricted()))
    again = a_patient("4010232137", birthDate="2018-08-08", name=[{"family": "Moss"}])
    steps.append(index.pds(again, {**again, "meta": {}}, {**again, "gender": "male"}))
    steps += [doubtful.counts, index.births(an_entry(entry_id="4", given_names="Amelie", nhs_number=""))]
    steps += [index.loader.withdraw(one.file_id, index.by()) for one in (loaded, doubtful, doubtful)]
    steps += [index.load("births", births).counts, len(index.held())]
    seen = sorted(
        (repr((f.name, f.whereabouts, f.carers, f.shielded, f.opened, f.supply_gone, f.archived_on)))
        for f in index.seen()
    )
    return [*steps, seen]


def test_a_long_history_of_loads_ends_alike(index: Index) -> None:
    assert history(index) == history(Index())
