"""Accesses exported as FHIR, read by the reference validator."""

import json

import pytest

from adapters.fhir import bundle
from tests.accesses import all_written
from tests.hapi import errors_in


@pytest.mark.outside_material
def test_the_reference_validator_finds_no_error_in_any_of_them_and_does_in_broken_ones() -> None:
    good = [*all_written(), json.loads(json.dumps(bundle(all_written()))), bundle([])]
    without_time = {key: value for key, value in good[0].items() if key != "recorded"}
    unknown_action = good[0] | {"action": "Z"}
    found = errors_in([*good, without_time, unknown_action])
    assert set(found) == {len(good), len(good) + 1}, found
