"""Looking: decide, grant, read and render, record the access, check that nothing moved, release.

If the access cannot be recorded nothing leaves (`AuditUnavailable`). Everything shown can be shown again: the access
event keeps the inputs of the disclosure, which is a pure function, and keyed digests of its output.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from domain.access.commands import (
    ExportAccesses,
    HandOver,
    OpenArchive,
    OpenRecord,
    ReadAbout,
    ReadDue,
    ReadRefusals,
    ReadTrail,
    SearchRecords,
)
from domain.access.events import (
    AccessesExported,
    ArchiveOpened,
    ArchiveProposed,
    HandOverProposed,
    ListRead,
    Looked,
    RecordHandedOver,
    RecordShown,
    RecordShownAsOf,
    RecordsSearched,
    TrailFilter,
    TrailRead,
)
from domain.access.go_live import Gate
from domain.access.letting_in import grant_for, record_refusal, refuse_beyond_measure
from domain.access.model import AccessGrant, AccessOnRecord
from domain.access.ports import CountedRefusals, Looking, Scheduled, StaffActs
from domain.access.reach import Reach
from domain.access.showing import (
    NOT_FOUND,
    RENDERINGS,
    Rendered,
    Shown,
    chosen_fields,
    gate_for,
    have_watched,
    must_stand_as_shown,
    nothing_moved,
    put_on_record,
    rendered_for,
    sealed_if_override,
)
from domain.disclosure import (
    RENDERER,
    RecordFacts,
    Viewer,
    as_it_was,
    disclosed,
    listed,
    mask_of,
    sight_of,
    unarchived,
)
from domain.errors import AccessDenied, AuditUnavailable, BadInput, NotFound, Refused
from domain.policy.retention import between
from domain.policy.screening import screen_name
from domain.rule_set.model import Right, RuleSet


def search(command: SearchRecords, looking: Looking) -> Shown:
    """Search, record the search with its exact results, and only then release them (T46)."""
    asked = {"criteria": command.criteria}
    grant = grant_for(command, "search", looking, asked)
    refuse_beyond_measure(command, "search", looking, grant, asked)
    for _ in range(RENDERINGS):
        ids, more = looking.finder.find(grant, command.criteria, command.limit)
        gate = gate_for(looking, grant)
        displays = _ranked(command, looking, grant, gate, ids)
        page = {"results": [display.record for display in displays], "more": more}
        put_on_record(
            grant,
            command,
            looking,
            "search",
            RecordsSearched,
            asked,
            displays,
            page,
            "search-permitted",
            more=more,
        )
        have_watched(grant, looking, "search", command.criteria, displays)
        if nothing_moved(looking, displays):
            return Shown(grant.access_id, page)
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The records kept changing while they were read. Try again.")


def open_record(command: OpenRecord, looking: Looking) -> Shown:
    """Show one record, or refuse in the same words whether it is not held, archived or not open to this viewer.

    Behind a shield nothing is told, not even that there is nothing, before the look is sealed. Raises NoReceipt.
    """
    action: Right = "override" if command.override else "show"
    asked: dict[str, Any] = {"child": command.child_id}
    event_class: type[Looked] = RecordShown
    if command.as_of is not None or command.effective_on is not None:
        asked |= {"as_of": command.as_of, "effective_on": command.effective_on}
        event_class = RecordShownAsOf
    grant = grant_for(command, action, looking, {"subject": command.child_id})
    refuse_beyond_measure(command, action, looking, grant, {"subject": command.child_id})
    for _ in range(RENDERINGS):
        now = looking.records.facts(grant, [command.child_id]).get(command.child_id)
        gate, facts, shown = gate_for(looking, grant), now, None
        if now is not None and event_class is RecordShownAsOf:
            facts = _as_it_was(now, command.as_of, command.effective_on, looking, grant)
        if facts is not None:
            shown = disclosed(
                looking.rules, RENDERER, facts, rendered_for(grant), grant.instant, override=grant.override
            )
        if now is None or facts is None or shown is None or not gate.opens(now, grant.viewer):
            put_on_record(
                grant,
                command,
                looking,
                action,
                event_class,
                asked,
                [],
                {},
                "nothing-to-show",
                used=gate.used,
            )
            sealed_if_override(grant, looking)
            raise NotFound(NOT_FOUND, field="child")
        display = Rendered(command.child_id, facts.version, shown.mask, shown.record)
        put_on_record(
            grant,
            command,
            looking,
            action,
            event_class,
            asked,
            [display],
            shown.record,
            shown.rule,
            used=gate.used,
        )
        have_watched(grant, looking, action, None, [display])
        receipt = sealed_if_override(grant, looking)
        if nothing_moved(looking, [display]):
            return Shown(grant.access_id, shown.record, receipt)
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The record kept changing while it was read. Try again.")


def _as_it_was(
    now: RecordFacts, as_of: datetime | None, effective_on: date | None, looking: Looking, grant: AccessGrant
) -> RecordFacts | None:
    """A record as recorded at an instant and true on a day, for whoever may see it now, in the way they may now.

    Fail closed: whoever sees a shielded record sees what it shows now, for an earlier name or address is hidden too.
    """
    return as_then(
        now, as_of, effective_on, looking, grant, grant.viewer, grant.instant, looking.rules, grant.override
    )


def as_then(
    now: RecordFacts,
    as_of: datetime | None,
    effective_on: date | None,
    looking: Looking,
    grant: AccessGrant,
    viewer: Viewer,
    instant: datetime,
    rules: RuleSet,
    override: bool,  # noqa: FBT001 - as `disclosed` takes it
) -> RecordFacts | None:
    sight, _ = sight_of(now, viewer, instant, rules, override=override)
    if sight == "none":
        return None
    if sight == "shielded":
        return now
    version = now.version
    if as_of is not None:
        version = min(version, looking.records.version_at(now.child_id, as_of))
    then = looking.records.facts_at(grant, now.child_id, version, effective_on) if version else None
    return as_it_was(then, now) if isinstance(then, RecordFacts) else None


def hand_over(command: HandOver, looking: Looking, *, proposing: bool = False) -> Shown:
    """Hand over these facts and no others, as the responsible authority decides (SI 2007/2182 reg 12; T49).

    Whoever acts is the named decider; of a shielded record a second one, who has confirmed, is needed. Raises BadInput
    for a ground or a fact that is none, NotFound where the authority is not responsible, AccessDenied; Refused, code
    `record-changed`, where the record is not at `version` any more. proposing: it is shown to one of the two, and is
    not handed over.
    """
    event_class, rule = (
        (HandOverProposed, "hand-over-proposed") if proposing else (RecordHandedOver, command.ground)
    )
    _check_hand_over(command, looking.rules)
    asked = {
        "child": command.child_id,
        "recipient": command.recipient,
        "reference": command.reference,
        "ground": command.ground,
    }
    grant = grant_for(command, "hand-over", looking, {"subject": command.child_id})
    for _ in range(RENDERINGS):
        facts = looking.records.facts(grant, [command.child_id]).get(command.child_id)
        shown = (
            disclosed(looking.rules, RENDERER, facts, rendered_for(grant), grant.instant) if facts else None
        )
        if facts is None or shown is None or shown.sight != "manager":
            put_on_record(grant, command, looking, "hand-over", event_class, asked, [], {}, "nothing-to-show")
            raise NotFound(NOT_FOUND, field="child")
        must_stand_as_shown(command, "hand-over", facts, looking)
        if facts.shielded and command.confirmed_by is None and not proposing:
            record_refusal(command, "hand-over", looking, "two-people-needed", command.child_id)
            raise AccessDenied(
                "This record is shielded: two people decide, --as one and --with another, or one by --propose.",
                code="two-people-needed",
            )
        record = chosen_fields(shown.record, command.fields)
        display = Rendered(command.child_id, facts.version, mask_of(record), record)
        put_on_record(grant, command, looking, "hand-over", event_class, asked, [display], record, rule)
        if nothing_moved(looking, [display]):
            return Shown(grant.access_id, record)
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The record kept changing while it was read. Try again.")


def _check_hand_over(command: HandOver, rules: RuleSet) -> None:
    screen_name(command.recipient, "recipient", words=10)
    if command.ground not in rules.hand_over:
        raise BadInput(
            f"The ground is one of: {', '.join(rules.hand_over)}.", code="unknown-ground", field="ground"
        )
    if not set(command.fields) <= set(rules.fields.ordinary):
        raise BadInput(
            f"What may be handed over is: {', '.join(rules.fields.ordinary)}.",
            code="unknown-field",
            field="field",
        )


def open_archive(command: OpenArchive, looking: Looking, *, proposing: bool = False) -> Shown:
    """Show an archived record that its authority's managers may no longer open, to two of the supplier's people (T62).

    Raises AccessDenied where no second person has confirmed, NotFound where nothing is to be seen; Refused, code
    `record-changed`, where the record is not at `version` any more. proposing: nothing is shown; the version of the hit
    on record is that of which it is asked.
    """
    event_class, rule = (
        (ArchiveProposed, "archive-proposed") if proposing else (ArchiveOpened, "archive-for-case")
    )
    asked = {"child": command.child_id, "reference": command.reference}
    grant = grant_for(command, "open-archive", looking, {"subject": command.child_id})
    if command.confirmed_by is None and not proposing:
        record_refusal(command, "open-archive", looking, "two-people-needed", command.child_id)
        raise AccessDenied(
            "Two people open the archive: --as one and --with another, or one by --propose.",
            code="two-people-needed",
        )
    for _ in range(RENDERINGS):
        facts = looking.records.facts(grant, [command.child_id]).get(command.child_id)
        opened = replace(facts, opened=facts.opened or proposing) if facts else None
        shown = unarchived(looking.rules, RENDERER, opened, grant.viewer, grant.instant) if opened else None
        if facts is None or shown is None:
            put_on_record(
                grant, command, looking, "open-archive", event_class, asked, [], {}, "nothing-to-show"
            )
            raise NotFound(NOT_FOUND, field="child")
        must_stand_as_shown(command, "open-archive", facts, looking)
        record = {} if proposing else shown.record
        display = Rendered(command.child_id, facts.version, mask_of(record), record)
        put_on_record(grant, command, looking, "open-archive", event_class, asked, [display], record, rule)
        if nothing_moved(looking, [display]):
            return Shown(grant.access_id, record)
        grant = replace(grant, access_id=looking.ids.new())
    raise AuditUnavailable("The record kept changing while it was read. Try again.")


def read_trail(command: ReadTrail, looking: Looking) -> Shown:
    """Read a page of the audit trail. Itself an access, with what was asked for."""
    asked = {"subject": command.subject, "chosen": command.chosen}
    grant = grant_for(command, command.kind, looking, {"subject": command.subject})
    reach = looking.trail.reach()._replace(limit=command.limit)
    try:
        page = trail_page(command.kind, command.subject, command.chosen, reach, looking, grant)
    except Refused as refused:
        if not isinstance(refused, BadInput):
            record_refusal(command, command.kind, looking, refused.code, command.subject)
        raise
    put_on_record(
        grant,
        command,
        looking,
        command.kind,
        TrailRead,
        asked,
        [],
        page,
        "audit-permitted",
        more=page["more"],
        used=reach.used(),
    )
    return Shown(grant.access_id, page)


def trail_page(
    kind: str, subject: UUID, chosen: TrailFilter, reach: Reach, looking: Looking, grant: AccessGrant
) -> dict[str, Any]:
    """A page of the audit trail as it was at a reach."""
    read = {
        "who-saw": looking.trail.who_saw,
        "what-saw": looking.trail.what_saw,
        "changes": looking.trail.changes,
    }
    entries, following = read[kind](grant, subject, chosen, reach)
    return {"entries": entries, "more": following is not None, "next": following}


def export_accesses(command: ExportAccesses, looking: Looking) -> Shown:
    """Take a page of accesses out. Itself an access, before anything leaves."""
    asked = {"subject": command.subject, "chosen": command.chosen}
    grant = grant_for(command, command.kind, looking, {"subject": command.subject})
    reach = looking.trail.reach()._replace(limit=command.limit)
    page = export_page(command.kind, command.subject, command.chosen, reach, looking, grant)[0]
    more = page["next"] is not None
    put_on_record(
        grant, command, looking, command.kind, AccessesExported, asked, [], page, "audit-permitted", more=more,
        used=reach.used(),
    )  # fmt: skip
    return Shown(grant.access_id, page)


def export_page(
    kind: str, subject: UUID | None, chosen: TrailFilter, reach: Reach, looking: Looking, grant: AccessGrant
) -> tuple[dict[str, Any], Sequence[AccessOnRecord]]:
    """A page of accesses as they leave the index, as it was at a reach; and which accesses these are."""
    found, following = looking.trail.accesses(grant, kind, subject, chosen, reach)
    entries = [entry for one in found for entry in looking.audit_events(one, chosen.criteria)]
    return {"entries": entries, "next": following}, found


def read_refusals(command: ReadRefusals, looking: Looking) -> Shown:
    """Count refusals by day, reason, role and organisation, without what was refused. Itself an access."""
    grant = grant_for(command, "refusals", looking, {})
    since, until = between(command.since, command.until)
    reach = looking.trail.reach()._replace(limit=command.limit)
    found = looking.trail.refusals(grant, since, until, reach)
    page = refusals_page(found)
    asked = {"what": "refusals", "since": since, "until": until}
    put_on_record(
        grant, command, looking, "refusals", ListRead, asked, [], page, "refusals-permitted", more=found.more,
        used=reach.used(),
    )  # fmt: skip
    return Shown(grant.access_id, page)


def refusals_page(found: CountedRefusals) -> dict[str, Any]:
    """Refusals, counted, as they are told."""
    return {"entries": found.entries, "more": found.more}


def read_about(command: ReadAbout, looking: Looking) -> Shown:
    """Read what staff did or are to do: proposals, investigations, notices. Itself an access."""
    asked = {"what": command.what, "subject": command.subject, "listed": [(one, 0) for one in command.listed]}
    grant = grant_for(command, command.action, looking, {"subject": command.subject})
    reach = looking.trail.reach()
    page = staff_page(
        command.what, command.listed, reach, grant.instant, looking.rules, looking.staff, more=command.more
    )
    put_on_record(
        grant, command, looking, command.action, ListRead, asked, [], page, f"{command.action}-permitted",
        more=command.more, used=reach.used(),
    )  # fmt: skip
    return Shown(grant.access_id, page)


def staff_page(
    what: str,
    ids: Sequence[UUID],
    reach: Reach,
    instant: datetime,
    rules: RuleSet,
    staff: StaffActs,
    *,
    more: bool,
) -> dict[str, Any]:
    """Proposals, investigations or notices as they stood; of notices also whether there are more."""
    if what == "notices":
        return {"notices": staff.notices(ids, reach), "more": more}
    if what == "proposals":
        return {"proposals": staff.proposals(ids, reach, instant)}
    return {"investigations": staff.investigations(ids, reach, instant, rules)}


def read_due(command: ReadDue, looking: Looking) -> Shown:
    """List what falls due. Itself an access, because a date of archive tells a date of birth."""
    grant = grant_for(command, "due", looking, {})
    reach = looking.trail.reach()
    page = due_page(looking.trail.due(grant, command.on, reach, looking.rules))
    asked = {"what": "due", "on": command.on}
    put_on_record(
        grant, command, looking, "due", ListRead, asked, [], page, "due-permitted", used=reach.used()
    )
    return Shown(grant.access_id, page)


def due_page(found: Scheduled[dict[str, Any]]) -> dict[str, Any]:
    """What falls due, as it is told."""
    return {"due": list(found.rows)}


def _ranked(
    command: SearchRecords, looking: Looking, grant: AccessGrant, gate: Gate, ids: Sequence[UUID]
) -> list[Rendered]:
    """The hits that what is shown of them still meets, in the order of how well it does (D16)."""
    facts = looking.records.facts(grant, ids)
    found: list[tuple[int, Rendered]] = []
    for child_id in ids:
        if child_id not in facts:
            continue
        shown = listed(looking.rules, RENDERER, facts[child_id], rendered_for(grant), grant.instant)
        rank = looking.finder.rank(command.criteria, shown.record) if shown else None
        if shown is not None and rank is not None and gate.opens(facts[child_id], grant.viewer):
            found.append((rank, Rendered(child_id, facts[child_id].version, shown.mask, shown.record)))
    return [display for _, display in sorted(found, key=lambda entry: (entry[0], entry[1].child_id.bytes))]
