"""Accesses as FHIR AuditEvent: by the pattern of BALP, read back by classes that are not ours."""

import base64
import json
from typing import Any

import pytest
from fhir.resources.R4B.auditevent import AuditEvent
from fhir.resources.R4B.bundle import Bundle

from adapters.fhir import audit_events, bundle
from domain.access.events import EVENTS
from tests.accesses import ACCOUNT, CALLER, EVERY_KIND, HIT, all_written, written
from tests.builders import CHILD, LONDON_BOROUGH


def roles(resource: dict[str, Any]) -> dict[str, str]:
    """The code of the data's direction, of the client and of the server."""
    client, server = resource["agent"][:2]
    assert client["who"]["display"] == "ContactPoint client"
    return {"client": client["type"]["coding"][0]["code"], "server": server["type"]["coding"][0]["code"]}


@pytest.mark.parametrize("name", EVERY_KIND)
def test_each_kind_is_an_audit_event_of_r4(name: str) -> None:
    for resource in written(name, criteria=True):
        read = AuditEvent.model_validate(resource)
        assert read.source.observer.display == "ContactPoint"


def test_every_event_of_the_access_log_is_among_them() -> None:
    there = {type(one.access.event) for one in EVERY_KIND.values()}
    assert there == set(EVENTS)


def test_what_shows_nothing_is_an_operation_and_no_search() -> None:
    for name in ("act decided", "mediator let"):
        (resource,) = written(name)
        assert (resource["type"]["code"], resource["subtype"][0]["code"], resource["action"]) == (
            "rest",
            "operation",
            "E",
        )


def test_one_resource_for_each_child_and_one_for_none() -> None:
    assert [len(written(name)) for name in ("show", "search", "search without hits", "trail")] == [1, 2, 1, 1]
    ids = [resource["id"] for resource in all_written()]
    assert len(set(ids)) == len(ids)


def test_on_a_read_data_go_to_the_client_and_on_a_search_the_query_comes_from_it() -> None:
    """No validator finds this reversed."""
    for name in ("show", "override", "hand-over", "put forward", "archive", "as it was", "queue", "reply"):
        (resource,) = written(name)
        assert roles(resource) == {"client": "110152", "server": "110153"}
        assert (resource["action"], resource["subtype"][0]["code"]) == ("R", "read")
    for name in (
        "search",
        "search without hits",
        "trail",
        "another policy",
        "list",
        "page of a trail",
        "taken out",
    ):
        resource = written(name)[0]
        assert roles(resource) == {"client": "110153", "server": "110152"}
        assert resource["action"] == "E"


def test_who_why_and_under_which_policy() -> None:
    (resource,) = written("override")
    person = resource["agent"][2]
    assert (person["requestor"], person["who"]["identifier"]["value"]) == (True, str(ACCOUNT))
    assert person["policy"] == ["urn:contactpoint:rule-set:present:ordinary"]
    assert person["purposeOfUse"][0]["coding"][0]["code"] == "casework"
    assert [one["coding"][0]["code"] for one in resource["purposeOfEvent"]] == ["casework", "BTG"]
    assert sum(agent["requestor"] for agent in resource["agent"]) == 1


def test_whoever_is_looked_for_is_the_person_and_the_others_stand_beside() -> None:
    (mediated,), (two,) = written("for a caller"), written("hand-over")
    assert mediated["agent"][2]["who"]["identifier"]["value"] == str(CALLER)
    assert {"mediator", "organisation"} <= {agent["type"].get("text") for agent in mediated["agent"]}
    assert "second person" in {agent["type"].get("text") for agent in two["agent"]}


def test_a_child_stands_there_by_its_id_with_what_was_shown_of_which_version() -> None:
    patient = written("show")[0]["entity"][-1]
    assert patient["what"]["identifier"]["value"] == f"urn:uuid:{CHILD}"
    assert (patient["type"]["code"], patient["role"]["code"]) == ("1", "1")
    details = {detail["type"]: detail for detail in patient["detail"]}
    assert details["version"]["valueString"] == "3"
    assert details["fields"]["valueString"] == "child_id number name"
    assert base64.b64decode(details["digest"]["valueBase64Binary"]) == HIT.digest
    assert written("shown nothing")[0]["entity"][-1]["detail"] == [
        {"type": "shown", "valueString": "nothing"}
    ]


def test_what_was_typed_is_there_only_where_it_is_asked_for_and_nobody_is_hidden() -> None:
    assert "query" not in str(written("search"))
    query = next(one["query"] for one in written("search", criteria=True)[0]["entity"] if "query" in one)
    assert json.loads(base64.b64decode(query)) == {"name": "Amira Khan"}
    hidden = EVERY_KIND["search"]._replace(hidden=True)
    assert "query" not in str(audit_events(hidden, True))


def test_whose_people_looked_at_a_hidden_child_is_not_in_it() -> None:
    assert LONDON_BOROUGH in str(written("show"))
    assert LONDON_BOROUGH not in str(written("override"))


def test_a_refusal_is_a_security_alert_with_its_code() -> None:
    (resource,) = written("refused")
    assert (resource["type"]["code"], resource["outcome"], resource["outcomeDesc"]) == (
        "110113",
        "4",
        "right-not-held",
    )
    assert "subtype" not in resource


def test_a_bundle_holds_them_all_and_an_empty_one_no_entry() -> None:
    whole = Bundle.model_validate(json.loads(json.dumps(bundle(all_written()))))
    assert len(whole.entry or ()) == len(all_written())
    assert bundle([]) == {"resourceType": "Bundle", "type": "collection"}
    Bundle.model_validate(bundle([]))


def test_whoever_signs_in_or_out_or_is_not_signed_in_authenticates() -> None:
    """DICOM PS3.15 A.5.3.10: User Authentication; Login or Logout; and whether it was done."""
    for name, act, outcome in (
        ("signed in", "110122", "0"),
        ("signed out", "110123", "0"),
        ("not let in", "110122", "4"),
        ("not signed in", "110122", "4"),
        ("nobody signed in", "110122", "4"),
    ):
        (resource,) = written(name)
        codes = (resource["type"]["code"], resource["subtype"][0]["code"], resource["outcome"])
        assert codes == ("110114", act, outcome), name


def test_who_was_not_signed_in_is_told_by_the_account_whose_name_was_given_and_never_as_its_holder() -> None:
    (known,), (unknown,) = written("not signed in"), written("nobody signed in")
    assert known["agent"][0]["who"]["identifier"]["value"] == str(ACCOUNT)
    assert "who" not in unknown["agent"][0]
    assert "IRCP" not in str(known)
    assert known["outcomeDesc"] == "not-recognised"
