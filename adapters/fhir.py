"""Accesses as FHIR R4 AuditEvent resources, after the pattern of IHE Basic Audit Log Patterns (BALP).

One resource for each child of an access, as BALP wants, and one for an access with none. The access log stays the
record: BALP has no place for exactly which versions were shown, so they and the keyed digests stand in `entity.detail`.

| access | type · subtype | action | client, server |
|---|---|---|---|
| a record opened, handed over, beside a held record | rest · read | R | Destination, Source |
| a search, a list, a trail, what was shown shown again | rest · search | E | Source, Destination |
| anything else that was done: a shield lifted, a mediator let look | rest · operation | E | Source, Destination |
| refused | Security Alert (DCM 110113) | E | Source, Destination |
| signed in, stepped up, signed out | User Authentication (DCM 110114) · Login, Logout | E | Source, Destination |
| not signed in | User Authentication (DCM 110114) · Login, outcome 4 | E | whoever tried, Application |

Whose people looked and what was typed are left out where a child of the access is shielded now. Nothing else about a
child is in here but its random id.
"""

import base64
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from domain.access.events import Criteria, Hit, Looked
from domain.access.model import Access, AccessOnRecord, NotSignedIn
from domain.disclosure import canonical, fields_of

Resource = dict[str, Any]

_DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
_EVENT_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_RESTFUL: Final = "http://hl7.org/fhir/restful-interaction"
_PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
_REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
_ENTITY_TYPE: Final = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ROLE: Final = "http://terminology.hl7.org/CodeSystem/object-role"
_BALP_ENTITY: Final = "https://profiles.ihe.net/ITI/BALP/CodeSystem/BasicAuditEntityType"
_OURS: Final = "urn:contactpoint"
_UUID: Final = "urn:ietf:rfc:3986"
READS: Final = frozenset({"show", "override", "hand-over", "open-archive", "review-queue", "subject-access"})
"""Actions that show a record."""
SEARCHES: Final = frozenset(
    {
        "search", "who-saw", "what-saw", "changes", "export-accesses", "replay", "what-would", "due", "refusals",
        "two-people", "investigate", "line-manage", "shield-reviews", "broker-contact", "sensitive-due", "ask-contact",
        "transfer-record", "split-record", "tell-recipients",
    }
)  # fmt: skip
"""Actions that show something of several records, or of what was done."""

SOURCE: Final = ("110153", "Source Role ID")
DESTINATION: Final = ("110152", "Destination Role ID")
_APPLICATION: Final = ("110150", "Application")
_LOGIN: Final = ("110122", "Login")
_SESSION_ACTS: Final = {"sign-in": _LOGIN, "step-up": _LOGIN, "sign-out": ("110123", "Logout")}
_SUCCESS, _MINOR_FAILURE = "0", "4"


def audit_events(one: AccessOnRecord, criteria: bool) -> list[Resource]:  # noqa: FBT001 - as `Looking` takes it
    """An access as AuditEvent resources; criteria: with what was typed into a search."""
    access = one.access
    if isinstance(access, NotSignedIn):
        return [_not_signed_in(access, one.position)]
    children = one.children or ((None, None),)
    return [
        _event(one, access, child, hit, number, criteria=criteria)
        for number, (child, hit) in enumerate(children)
    ]


def bundle(resources: Iterable[Resource]) -> Resource:
    """A collection of them. An empty one has no entry at all, because FHIR has no empty lists."""
    entries = [{"fullUrl": f"{_OURS}:{one['id']}", "resource": one} for one in resources]
    return {"resourceType": "Bundle", "type": "collection", **({"entry": entries} if entries else {})}


def _not_signed_in(one: NotSignedIn, position: int) -> Resource:
    """A refused sign-in: under the account whose name was given, where there is one; who it was, nobody knows."""
    event = one.event
    said = {"rule": event.rule, "rule-set": event.rule_set, "position": str(position), "how": event.how}
    account = (
        {"who": _identifier(f"{_OURS}:account", str(event.account))} if event.account is not None else {}
    )
    return {
        "resourceType": "AuditEvent",
        "id": str(one.access_id),
        **_authentication("sign-in"),
        "action": "E",
        "recorded": event.instant.isoformat(),
        "outcome": _MINOR_FAILURE,
        "outcomeDesc": event.rule,
        "agent": [
            {
                "type": {"text": "whoever gave this account's name" if account else "nobody's account"},
                **account,
                "requestor": True,
                "policy": [f"{_OURS}:rule-set:{event.rule_set}:{event.rule}"],
            },
            {"type": _concept(_DCM, *_APPLICATION), "who": {"display": "ContactPoint"}, "requestor": False},
        ],
        "source": _OBSERVER,
        "entity": [_request(one.access_id, said)],
    }


def _authentication(act: str) -> Resource:
    """What somebody did to sign in or out, as DICOM codes it (PS3.15 A.5.3.10)."""
    return {
        "type": _coding(_DCM, "110114", "User Authentication"),
        "subtype": [_coding(_DCM, *_SESSION_ACTS[act]), _coding(f"{_OURS}:action", act)],
    }


def _coded(event: Looked) -> Resource:
    """Type and subtype of a look, a refusal, or what was done to sign in or out."""
    if event.action in _SESSION_ACTS:
        return _authentication(event.action)
    if event.outcome == "refused":
        return {"type": _coding(_DCM, "110113", "Security Alert")}
    done = "read" if event.action in READS else "search-type" if event.action in SEARCHES else "operation"
    return {
        "type": _coding(_EVENT_TYPE, "rest", "RESTful Operation"),
        "subtype": [_coding(_RESTFUL, done, done), _coding(f"{_OURS}:action", event.action)],
    }


def _event(
    one: AccessOnRecord,
    access: Access,
    child: UUID | None,
    hit: Hit | None,
    number: int,
    *,
    criteria: bool,
) -> Resource:
    event, metadata = access.event, access.metadata
    refused = event.outcome == "refused"
    read = event.action in READS and not refused
    entities = [_request(access.access_id, _said(event, one.position))]
    if event.page is not None:
        entities[0]["detail"].append(
            {"type": "digest-of-page", "valueBase64Binary": base64.b64encode(event.page).decode()}
        )
    typed = getattr(event, "criteria", None) if event.action == "search" else None
    if criteria and isinstance(typed, Criteria) and not one.hidden:
        query = base64.b64encode(canonical(typed.model_dump(mode="json", exclude_none=True))).decode()
        entities.append(
            {
                "type": _coding(_ENTITY_TYPE, "2", "System Object"),
                "role": _coding(_ROLE, "24", "Query"),
                "query": query,
            }
        )
    if child is not None:
        entities.append(_patient(child, hit))
    purpose = [_reason(metadata.purpose)] if metadata.purpose else []
    if event.action == "override":
        purpose.append({"coding": [_coding(_REASON, "BTG", "break the glass")]})
    return {
        "resourceType": "AuditEvent",
        "id": f"{access.access_id}.{number}" if number else str(access.access_id),
        **_coded(event),
        "action": "R" if read else "E",
        "recorded": event.instant.isoformat(),
        "outcome": _MINOR_FAILURE if refused else _SUCCESS,
        **({"outcomeDesc": event.rule} if refused else {}),
        **({"purposeOfEvent": purpose} if purpose else {}),
        "agent": _agents(access, read=read, hidden=one.hidden),
        "source": _OBSERVER,
        "entity": entities,
    }


_SERVER: Final = {
    "system": "http://terminology.hl7.org/CodeSystem/security-source-type",
    "code": "4",
    "display": "Application Server",
}


_OBSERVER: Final = {"observer": {"display": "ContactPoint"}, "type": [_SERVER]}


def _agents(access: Access, *, read: bool, hidden: bool) -> list[Resource]:
    """The program that asked, the one that answered, the person, and whoever stood beside or behind them.

    On a read data flow from server to client, so the client is the Destination; on a search the query flows the other
    way, and the roles are reversed.
    """
    event, metadata = access.event, access.metadata
    client, server = (DESTINATION, SOURCE) if read else (SOURCE, DESTINATION)
    looked_for = metadata.on_behalf_of or metadata.actor
    person: Resource = {
        "type": _concept(_PARTICIPATION, "IRCP", "information recipient"),
        "role": [{"coding": [_coding(f"{_OURS}:role", event.role)]}],
        "who": _identifier(f"{_OURS}:account", str(looked_for)),
        "requestor": True,
        "policy": [f"{_OURS}:rule-set:{event.rule_set}:{event.rule}"],
    }
    if metadata.purpose:
        person["purposeOfUse"] = [_reason(metadata.purpose)]
    agents = [
        {"type": _concept(_DCM, *client), "who": {"display": "ContactPoint client"}, "requestor": False},
        {"type": _concept(_DCM, *server), "who": {"display": "ContactPoint"}, "requestor": False},
        person,
    ]
    if metadata.on_behalf_of is not None:
        agents.append(_beside(metadata.actor, "mediator"))
    if metadata.confirmed_by is not None:
        agents.append(_beside(metadata.confirmed_by, "second person"))
    if not hidden:
        agents.append(
            {
                "type": {"text": "organisation"},
                "who": _identifier(f"{_OURS}:organisation", event.body),
                "requestor": False,
            }
        )
    return agents


def _beside(account: UUID, what: str) -> Resource:
    return {
        "type": {"text": what},
        "who": _identifier(f"{_OURS}:account", str(account)),
        "requestor": False,
    }


def _patient(child: UUID, hit: Hit | None) -> Resource:
    """The child, by its random id, and which version of it was shown with which fields; nothing where it was not."""
    patient = _entity(
        _identifier(_UUID, f"urn:uuid:{child}"),
        _coding(_ENTITY_TYPE, "1", "Person"),
        _coding(_ROLE, "1", "Patient"),
    )
    if hit is None:
        patient["detail"] = [{"type": "shown", "valueString": "nothing"}]
        return patient
    patient["detail"] = [
        {"type": "version", "valueString": str(hit.version)},
        {"type": "fields", "valueString": " ".join(fields_of(hit.mask)) or "none"},
        {"type": "digest", "valueBase64Binary": base64.b64encode(hit.digest).decode()},
    ]
    return patient


def _said(event: Looked, position: int) -> dict[str, str]:
    return {
        "rule": event.rule,
        "rule-set": event.rule_set,
        "renderer": str(event.renderer),
        "position": str(position),
        "results": str(len(event.hits)),
    }


def _request(access_id: UUID, said: dict[str, str]) -> Resource:
    """The access or the attempt at one, by its id, and what else is on record of it."""
    request = _entity(_identifier(f"{_OURS}:access", str(access_id)), _coding(_BALP_ENTITY, "XrequestId"))
    request["detail"] = [{"type": name, "valueString": value} for name, value in said.items()]
    return request


def _entity(what: Resource, kind: Resource, role: Resource | None = None) -> Resource:
    return {"what": what, "type": kind, **({"role": role} if role else {})}


def _identifier(system: str, value: str) -> Resource:
    return {"identifier": {"system": system, "value": value}}


def _coding(system: str, code: str, display: str | None = None) -> Resource:
    return {"system": system, "code": code, **({"display": display} if display else {})}


def _concept(system: str, code: str, display: str) -> Resource:
    return {"coding": [_coding(system, code, display)]}


def _reason(purpose: str) -> Resource:
    return {"coding": [_coding(f"{_OURS}:reason", purpose)]}
