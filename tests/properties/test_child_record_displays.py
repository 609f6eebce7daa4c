"""What holds of every display of a record, whatever it has been through."""

import json
from pathlib import Path
from uuid import UUID

import jsonschema
from hypothesis import given as whatever
from hypothesis import settings
from hypothesis import strategies as st

from domain.disclosure import FIELDS, RENDERER, RENDERERS, Viewer, canonical, fields_of, hit
from domain.kernel import Command
from ingest.best_view import best_view
from tests.builders import LONDON_BOROUGH, NOW, a_viewer, involves, registers, shields, the_rules
from tests.given import after
from tests.plugins_counts import count
from tests.properties.test_child_record import COMMANDS, hidden_only, lived, tried

SCHEMA = jsonschema.Draft202012Validator(
    json.loads((Path(__file__).parents[2] / "docs" / "record.schema.json").read_text("utf-8"))
)
READERS = [a_viewer(role) for role in ("practitioner", "teacher", "social-worker", "data-manager")]
VIEWERS = [*READERS, a_viewer("data-manager", body=LONDON_BOROUGH), a_viewer("auditor"), a_viewer("operator")]
render = RENDERERS[RENDERER]


@whatever(st.lists(COMMANDS, max_size=14), st.sampled_from(VIEWERS), st.booleans())
@settings(max_examples=count(5_000))
def test_every_display_is_of_the_published_form(
    history: list[Command], viewer: Viewer, override: bool
) -> None:
    facts = best_view(lived(history))
    shown = render(facts, viewer, NOW, the_rules(), override=override)
    if shown.sight == "none":
        assert shown.record == {}
    else:
        SCHEMA.validate(shown.record)
    assert fields_of(shown.mask) == tuple(field for field in FIELDS if field in shown.record)
    assert json.loads(canonical(shown.record)) == shown.record


@whatever(st.lists(COMMANDS, max_size=10), st.lists(COMMANDS, max_size=10), st.sampled_from(READERS))
@settings(max_examples=count(5_000))
def test_two_shielded_records_that_differ_only_in_what_is_hidden_look_alike(
    one: list[Command], another: list[Command], reader: Viewer
) -> None:
    shielded = after(registers(), shields())
    seen = {
        canonical([shown.sight, shown.rule, shown.mask, shown.record])
        for history in (one, another)
        for facts in [best_view(lived(hidden_only(history, keep_departures=False), shielded))]
        for shown in (render(facts, reader, NOW, the_rules()), hit(facts, reader, NOW, the_rules()))
    }
    assert len(seen) == 1


@whatever(st.lists(COMMANDS, max_size=10), st.sampled_from(READERS))
@settings(max_examples=count(5_000))
def test_t13_of_sensitive_services_one_more_changes_no_byte(history: list[Command], reader: Viewer) -> None:
    first = involves("Kooth", "sensitive", involvement=UUID(int=901))
    second = involves("Brook", "sensitive", involvement=UUID(int=902), lead_professional=True)
    record = tried(lived(history), first)
    before, afterwards = best_view(record), best_view(tried(record, second))
    for override in (False, True):
        assert render(before, reader, NOW, the_rules(), override=override) == render(
            afterwards, reader, NOW, the_rules(), override=override
        )
    assert hit(before, reader, NOW, the_rules()) == hit(afterwards, reader, NOW, the_rules())
