"""What a management team sees of a source record that is held back: a pure function of it and of its candidates.

Of a shielded record nothing is shown but that the local team is to be asked; and where a shielded child may be
concerned, nothing of the held record either by which it could be found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.child_record.commands import Assertion
from domain.child_record.events import CurrentAddress, LastKnownAddress
from domain.disclosure import RENDERER, Display, RecordFacts, Viewer, disclosed, mask_of, name_shown
from domain.rule_set.model import RecordField, RuleSet
from domain.supply.model import HeldRecord

LOCAL_TEAM: Final = "Ask the local team: nothing more can be shown of this here."
NEAR_SHIELDED: Final = "near-shielded"
UNSTATED: Final = "in-doubt"

_LOCATING: Final = ("address", "carers", "education", "general_practice")
_BESIDE: Final[tuple[RecordField, ...]] = (
    "child_id", "number", "name", "former_names", "date_of_birth", "gender", "address", "carers", "education",
    "general_practice",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Compared:
    """How one field of the held record compares: `agree`, `near`, `differ` or `unknown`, and its weight in bits."""

    field: str
    level: str
    weight: float


@dataclass(frozen=True, slots=True)
class Beside:
    """A candidate as put beside the held record, with the fields shown of it. No id: a shield hides which it is."""

    child_id: UUID | None
    version: int
    mask: str
    shown: Display


def concerns_a_shield(held: HeldRecord, candidates: Mapping[UUID, RecordFacts]) -> bool:
    """Whether a shielded child may be concerned: the message is restricted, or a candidate is or may be shielded."""
    return (
        held.state == "quarantined"
        or held.assertion.restricted
        or any(child not in candidates or candidates[child].shielded for child in held.candidates)
    )


def listed_held(held: HeldRecord) -> Display:
    """One line of the queue."""
    return {
        "held_id": str(held.held_id),
        "kind": str(held.source_kind),
        "since": held.since.isoformat(),
        "state": held.state,
        "reason": _reason(held),
    }


def shown_held(held: HeldRecord, beside: Sequence[Beside], *, concealed: bool) -> Display:
    """The held record with its candidates. concealed: a shielded child may be concerned."""
    return {
        **listed_held(held),
        "says": _says(held.assertion, concealed=concealed),
        "withheld": list(_LOCATING) if concealed else [],
        "notice": LOCAL_TEAM if concealed else None,
        "candidates": [one.shown for one in beside if one.child_id is not None],
    }


def mask_of_held(display: Display) -> str:
    """Which fields of `disclosure.FIELDS` of the held record are shown."""
    return mask_of([field for field, value in display["says"].items() if value])


def beside(
    held: HeldRecord,
    facts: RecordFacts | None,
    compared: Sequence[Compared],
    viewer: Viewer,
    instant: datetime,
    rules: RuleSet,
    *,
    concealed: bool,
) -> Beside:
    """One candidate. Shielded, destroyed, or not open to this viewer: nothing of it."""
    shown = disclosed(rules, RENDERER, facts, viewer, instant) if facts and not facts.shielded else None
    if facts is None or shown is None:
        return Beside(None, 0, "0", {})
    record: Display = {field: shown.record[field] for field in _BESIDE if field in shown.record}
    if concealed:
        record = {field: value for field, value in record.items() if field not in _LOCATING}
    said = _says(held.assertion, concealed=concealed)
    compared = [one for one in compared if not (concealed and one.field == "postcode")]
    display = {
        "child_id": str(facts.child_id),
        "number": facts.index_number,
        "record": record,
        "fields": [_row(one, said, record) for one in compared],
        "weight": round(sum(one.weight for one in compared)),
    }
    return Beside(facts.child_id, facts.version, mask_of(list(record)), display)


def _reason(held: HeldRecord) -> str:
    return NEAR_SHIELDED if held.state == "quarantined" else held.doubt or UNSTATED


def _row(one: Compared, said: Display, record: Display) -> Display:
    """A field of both sides. Of numbers and of the place in a birth only whether they agree."""
    return {
        "field": one.field,
        "incoming": _value(one.field, said),
        "candidate": _value(one.field, record),
        "agreement": one.level,
        "weight": round(one.weight),
    }


def _value(field: str, shown: Display) -> Any:
    match field:
        case "given" | "family":
            return (shown.get("name") or {}).get(field)
        case "postcode":
            return (shown.get("address") or {}).get(field)
        case _:
            return shown.get(field)


def _says(said: Assertion, *, concealed: bool) -> Display:
    """The held record in the words of a display."""
    current = [name for name in said.names if name.kind == "current"] or list(said.names)
    shown: Display = {
        "name": name_shown(current[0]) if current else None,
        "former_names": [name_shown(name) for name in said.names if name not in current[:1]],
        "date_of_birth": said.date_of_birth.isoformat() if said.date_of_birth else None,
        "gender": str(said.gender) if said.gender else None,
    }
    if concealed:
        return shown
    where = said.whereabouts
    address = where.address if isinstance(where, CurrentAddress | LastKnownAddress) else None
    return {
        **shown,
        "address": where
        and {
            "state": where.state,
            "lines": list(address.lines) if address else [],
            "postcode": address.postcode if address else None,
        },
        "carers": [name_shown(carer.name) for carer in said.carers or ()],
        "education": said.education and {"name": said.education.name, "code": said.education.code},
        "general_practice": said.practice and {"name": said.practice.name, "code": said.practice.code},
    }
