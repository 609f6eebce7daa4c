"""The invented population: the same for the same seed, true to its table of shares, and readable by every parser."""

import hashlib
import io
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from types import ModuleType

import pytest

from cli.population import draws
from domain.identifiers import nhs_number, postcode, synthetic_nhs_number, unique_pupil_number
from ingest.population import vocabulary
from ingest.population.files import FILES, TRUTH_HEADER, write
from ingest.population.people import BLOCK, FIRST, LAST, NO_FIXED_ABODE, Child, at_birth, block_of
from ingest.population.records import WRITERS, Record, records_of
from ingest.population.shares import HAPPENINGS, SLIPS, SOURCES
from ingest.population.told import slipped
from ingest.source_record import Rejected, SourceRecord
from tests.architecture.repository import ROOT
from tests.loading import Index

BLOCKS = 150
"""15,000 children: enough to tell each share from its half and its double."""


def files_of(children: int, seed: int) -> dict[str, str]:
    out = {source: io.StringIO(newline="") for source in FILES}
    write(children, seed, draws, out)
    return {source: text.getvalue() for source, text in out.items()}


@cache
def people() -> tuple[Child, ...]:
    return tuple(child for block in range(BLOCKS) for child in block_of(7, block, draws))


@cache
def records() -> tuple[Record, ...]:
    return tuple(record for block in range(BLOCKS) for record in records_of(7, block, draws))


def parsers() -> Iterator[tuple[str, ModuleType]]:
    """Every source that this version can read."""
    for source in FILES:
        name = f"ingest.sources.{source.replace('-', '_')}"
        if source != "truth" and find_spec(name):
            yield source, import_module(name)


# The same for the same seed


def digest_of(files: dict[str, str]) -> str:
    return hashlib.sha256("\0".join(files.values()).encode()).hexdigest()


def test_the_same_seed_gives_the_same_bytes_in_another_process_with_another_hash_seed() -> None:
    code = (
        "from tests.unit.ingest.test_population import digest_of, files_of;"
        "print(digest_of(files_of(250, 11)), hash('x'))"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for hash_seed in ("1", "2")
    ]
    assert said[0][0] == said[1][0] == digest_of(files_of(250, 11))
    assert said[0][1] != said[1][1], "the processes did hash differently"


def test_another_seed_gives_another_population() -> None:
    one, other = files_of(100, 1), files_of(100, 2)
    assert all(one[source] != other[source] for source in FILES)


def test_fewer_children_are_the_first_of_more() -> None:
    few, more = files_of(130, 3), files_of(260, 3)
    assert more["truth"].startswith(few["truth"])
    assert more["births"].startswith(few["births"])
    assert more["pds"].startswith(few["pds"])


def test_progress_ends_with_the_number_of_children() -> None:
    told: list[int] = []
    write(2_345, 1, draws, {source: io.StringIO() for source in FILES}, told.append)
    assert told == [1_000, 2_000, 2_345]


# What the files hold


@pytest.mark.parametrize(("source", "parser"), list(parsers()))
def test_every_record_can_be_read_and_none_is_refused(source: str, parser: ModuleType) -> None:
    """A parser that is added to `ingest/sources` under the name of its source is tried by itself."""
    files = files_of(500, 20)
    parsed = list(parser.parse(io.BytesIO(files[source].encode())))
    assert not [one for one in parsed if isinstance(one, Rejected)]
    truth = [line.split(",")[1] for line in files["truth"].splitlines() if line.startswith(f"{source},")]
    found = [one.source_id for one in parsed if isinstance(one, SourceRecord)]
    assert Counter(found) == Counter(truth), "the truth names each record by the number that the parser reads"
    assert not [one for one in parsed if isinstance(one, SourceRecord) and one.warnings]


def test_a_training_home_takes_every_record_and_each_entry_is_a_child_of_its_own() -> None:
    files = files_of(150, 7)
    index = Index()
    births = index.load("births", files["births"].encode()).counts
    assert births.read == births.registered == files["births"].count("\n") - 1
    pds = index.load("pds", files["pds"].encode()).counts
    assert pds.refused == 0
    assert pds.updated > 0.8 * pds.read
    for source in ("child-benefit", "school-census", "ctf", "case-management"):
        counts = index.load(source, files[source].encode()).counts
        assert (counts.refused, counts.read > 0) == (0, True), source


def test_every_file_can_be_read() -> None:
    assert {source for source, _ in parsers()} == {*FILES} - {"truth"}


def test_the_truth_covers_every_record_of_every_source_once() -> None:
    files = files_of(1_200, 4)
    lines = files["truth"].splitlines()
    assert lines[0] + "\n" == TRUTH_HEADER
    keys = [tuple(line.split(",")[:2]) for line in lines[1:]]
    assert len(set(keys)) == len(keys)
    assert {source for source, _ in keys} == set(WRITERS)
    wanted = Counter(record.source for block in range(12) for record in records_of(4, block, draws))
    assert Counter(source for source, _ in keys) == wanted


def test_every_child_is_in_the_truth() -> None:
    children = {line.split(",")[2].split("-")[0] for line in files_of(777, 4)["truth"].splitlines()[1:]}
    assert len(children) == 777


def test_nhs_numbers_are_for_tests_valid_and_never_two_alike() -> None:
    numbers = [number for child in people() for number in {child.nhs_number, at_birth(child).nhs_number}]
    assert len(set(numbers)) == len(numbers)
    assert all(nhs_number(number) == number and synthetic_nhs_number(number) for number in numbers)


def test_pupil_numbers_are_valid_and_never_two_alike() -> None:
    numbers = [child.pupil_number for child in people() if child.pupil_number]
    assert len(numbers) > 5_000
    assert len(set(numbers)) == len(numbers)
    assert all(unique_pupil_number(number) == number for number in numbers)


def test_former_pupil_numbers_are_temporary_ones_and_never_two_alike() -> None:
    texts = [record.text for record in records() if record.source == "school-census"]
    found = [number for text in texts for number in re.findall("<FormerUPN>(.*?)</FormerUPN>", text)]
    assert len(found) > 100
    assert len(set(found)) == len(found)
    assert all(unique_pupil_number(number) == number and number[-1].isalpha() for number in found)


def test_schools_write_sex_by_either_name_and_some_pupils_have_left() -> None:
    texts = [record.text for record in records() if record.source == "school-census"]
    assert 0.3 < sum("<Gender>" in text for text in texts) / len(texts) < 0.7
    assert all(("<Gender>" in text) != ("<Sex>" in text) for text in texts)
    left = [text for text in texts if "<PupilNoLongerOnRoll>" in text]
    assert 0.02 < len(left) / len(texts) < 0.06
    assert all("<LeavingDate>" in text for text in left)


def test_postcodes_are_of_their_shape() -> None:
    found = {record.child.home.postcode for record in records()}
    assert len(found) > 2_000
    assert all(postcode(code) == code for code in found)


def test_twins_share_birth_and_home_and_differ_in_name_and_number() -> None:
    pairs = [
        (one, other) for one, other in pairwise(people()) if (one.birth_order, other.birth_order) == (1, 2)
    ]
    assert len(pairs) > 50
    for one, other in pairs:
        assert one.born == other.born
        assert at_birth(one).home == at_birth(other).home
        assert one.home == other.home
        assert (one.mother, one.surname) == (other.mother, other.surname)
        assert one.given != other.given
        assert one.nhs_number != other.nhs_number
    assert sum(child.birth_order > 0 for child in people()) == 2 * len(pairs)


def test_half_siblings_share_a_mother_and_not_a_father() -> None:
    families: dict[tuple[int, int], list[Child]] = {}
    for child in people():
        if not child.adopted:
            families.setdefault((child.number // BLOCK, child.family), []).append(child)
    found = [
        (one, other)
        for family in families.values()
        for one in family
        for other in family
        if other.half_sibling and not one.half_sibling
    ]
    assert len(found) > 100
    assert all(one.mother == other.mother for one, other in found)
    assert sum(one.surname != other.surname for one, other in found) > 0.95 * len(found)


def test_nobody_is_born_outside_the_days_that_are_documented() -> None:
    assert all(FIRST.isoformat() <= child.born <= LAST.isoformat() for child in people())


def test_the_adopted_are_others_to_every_source_but_the_register() -> None:
    adopted = [child for child in people() if child.adopted]
    sent = [record for record in records() if record.child.number in {child.number for child in adopted}]
    assert {record.person.endswith("-a") for record in sent if record.source == "births"} == {False}
    assert {record.person.endswith("-a") for record in sent if record.source != "births"} == {True}
    old = {at_birth(child).nhs_number for child in adopted}
    assert not [record for record in records() if record.source == "pds" and record.source_id in old]


def test_a_superseded_number_comes_as_the_health_service_sends_it() -> None:
    replaced = [record for record in records() if record.source == "pds" and record.child.replaced_number]
    assert replaced
    for record in replaced:
        assert record.text.startswith('{"resourceType":"Bundle"')
        assert f'Patient/{record.child.replaced_number}"' in record.text
        assert at_birth(record.child).nhs_number == record.child.replaced_number


def test_a_restricted_message_holds_no_home_and_no_practice() -> None:
    messages = [record for record in records() if record.source == "pds"]
    restricted = [record for record in messages if '"code":"R"' in record.text]
    assert restricted
    assert [record for record in messages if record.child.restricted] == restricted
    assert not [
        record for record in restricted if '"address"' in record.text or "generalPractitioner" in record.text
    ]


def test_who_left_has_an_ended_home_and_no_other_source() -> None:
    left = [record for record in records() if record.child.left_on]
    assert {record.source for record in left} <= {"births", "pds"}
    assert all(
        '"end":' in record.text for record in left if record.source == "pds" and not record.child.restricted
    )


def test_nothing_in_the_vocabulary_needs_escaping() -> None:
    words = {
        *(
            word
            for naming, _ in vocabulary.PEOPLES
            for table in (naming.girls, naming.boys, naming.families)
            for word in table
        ),
        *(
            text
            for area in range(len(vocabulary.AREAS))
            for place in vocabulary.places(area)
            for text in place
        ),
        *(
            form
            for table in (vocabulary.NICKNAMES, vocabulary.TRANSLITERATIONS, vocabulary.SOUND_ALIKES)
            for forms in table.values()
            for form in forms
        ),
    }
    assert not [
        word for word in words if re.search(r"[\"\\&<>,;\x00-\x1f]", word) or word != word.strip() or not word
    ]


# How often each thing happens


def near(happened: int, chances: int, share: float) -> bool:
    """Within five standard deviations, and never nothing."""
    return happened > 0 and abs(happened - chances * share) <= 5 * (chances * share * (1 - share)) ** 0.5 + 1


@pytest.mark.parametrize("source", [source for source in SOURCES if source in WRITERS])
def test_a_record_has_the_slip_that_it_says_and_none_otherwise(source: str) -> None:
    for record in records():
        if record.source == source:
            clean = WRITERS[source](record.child)[1]
            assert (record.text == clean) == (record.slip == ""), record.slip


@pytest.mark.parametrize("slip", SLIPS)
def test_each_slip_happens_as_often_as_its_source_makes_it(slip: str) -> None:
    for column, source in enumerate(SOURCES):
        if source not in WRITERS:
            continue
        share = SLIPS[slip].shares[column]
        sent = [record for record in records() if record.source == source]
        happened = sum(record.slip == slip for record in sent)
        chances = sum(
            slipped(slip, record.child, lambda: 0.5) is not None
            and not (source == "pds" and record.child.restricted and "home" in SLIPS[slip].what)
            for record in sent
        )
        if share == 0 or chances == 0:
            assert happened == 0
        elif chances * share >= 5:
            assert near(happened, chances, share), f"{source}: {happened} of {chances}, not {share}"


def counted(name: str) -> tuple[int, int]:
    """How often a thing happened, and how often it could, as far as that is seen in the people themselves."""
    families: dict[tuple[int, int], list[Child]] = {}
    for child in people():
        families.setdefault((child.number // BLOCK, child.family), []).append(child)
    eldest = [family[0] for family in families.values() if not family[0].adopted]
    couples = [child for child in eldest if child.second_parent and child.mother[1] != child.second_parent[1]]
    lone = [child for child in people() if not child.birth_order]
    staying = [child for child in people() if not child.left_on]
    pupils = [child for child in staying if child.school]
    next_births = [
        (elder, younger)
        for family in families.values()
        for elder, younger in pairwise(family)
        if younger.birth_order < 2 and not elder.adopted and not younger.adopted
    ]
    source = name.removeprefix("in-")

    def of(chosen: list[Child], test: Callable[[Child], bool]) -> tuple[int, int]:
        return sum(map(test, chosen)), len(chosen)

    match name:
        case "half-sibling":
            return sum(one.second_parent != other.second_parent for one, other in next_births), len(
                next_births
            )
        case "mother-surname":
            return of(couples, lambda child: child.surname == child.mother[1])
        case "hyphenated":
            return of(
                couples, lambda child: child.surname == f"{child.mother[1]}-{(child.second_parent or '?')[1]}"
            )
        case "twins":
            return of([c for c in people() if c.birth_order < 2], lambda child: child.birth_order == 1)
        case "middle-name":
            return of([c for c in people() if not c.adopted], lambda child: child.middle != "")
        case "two-parents":
            return of(eldest, lambda child: child.second_parent is not None)
        case "born-abroad":
            return of(eldest, lambda child: "births" not in child.sources)
        case "moved":
            return of(eldest, lambda child: child.home.since != "")
        case "left":
            return of(eldest, lambda child: child.left_on != "")
        case "restricted":
            return of(eldest, lambda child: child.restricted)
        case "no-fixed-abode":
            return of(eldest, lambda child: child.home.postcode == NO_FIXED_ABODE)
        case "adopted":
            return of(lone, lambda child: child.adopted)
        case "superseded":
            return of(lone, lambda child: child.replaced_number != "")
        case "former-name":
            return of(lone, lambda child: child.former_surname != "")
        case "in-child-benefit" | "in-case-management":
            return of(staying, lambda child: source in child.sources)
        case "in-pds":
            return of([c for c in people() if "births" in c.sources], lambda child: source in child.sources)
        case "in-school-census" | "in-ctf":
            return of(pupils, lambda child: source in child.sources)
        case _:
            raise AssertionError(f"say where {name} is seen")


@pytest.mark.parametrize("name", HAPPENINGS)
def test_each_thing_happens_as_often_as_the_table_says(name: str) -> None:
    happened, chances = counted(name)
    assert near(happened, chances, HAPPENINGS[name].share), f"{happened} of {chances}"
