"""The audit trail in sentences for whoever is no engineer, and as a table for a spreadsheet.

A sentence says when (UTC), who, in which role and capacity, what they did and why, what was shown, and where it is on
record; it says what the entry says and draws no conclusion.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from cli.output import Json
from domain.rule_set.model import RuleSet

_DID: Final[Mapping[str, str]] = {
    "search": "searched",
    "show": "opened a record",
    "override": "looked behind a shield",
    "who-saw": "read who had seen a child",
    "what-saw": "read what an account had seen",
    "changes": "read what had changed in a record",
    "replay": "had an earlier access shown again",
    "what-would": "had an earlier access shown beside what another rule set would have shown",
    "export-accesses": "took the accesses of a period out",
    "open-archive": "opened an archived record for a case",
    "hand-over": "handed facts of a record over to somebody outside",
    "review-queue": "looked at a source record that was held back",
    "subject-access": "answered, or looked up, who asked who had looked",
    "shield-reviews": "listed which shields are to be looked at again, or who asked for one",
    "transfer-record": "looked at the offer of a record to another authority",
    "split-record": "listed who had seen two children as one",
    "investigate": "read what is looked into, or who looked behind shields",
    "due": "listed what falls due",
    "tell-recipients": "listed who is to be told that what they were given was destroyed",
    "refusals": "counted refusals",
    "ask-contact": "asked for contact, or read what came of it",
    "broker-contact": "listed, or passed on, requests for contact",
    "sensitive-due": "listed whom to ask afresh, and which causes to review",
}
COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "who-saw": (
        "at", "access_id", "account", "account_name", "role", "organisation", "action", "reason", "on_behalf_of",
        "confirmed_by", "outcome", "rule", "shown", "fields",
    ),
    "what-saw": (
        "at", "access_id", "account", "account_name", "role", "action", "reason", "on_behalf_of", "confirmed_by",
        "outcome", "rule", "children", "asked_for", "criteria",
    ),
    "changes": ("at", "event", "effective", "source", "actor", "account_name", "reason", "version"),
}  # fmt: skip
"""The columns of each trail as CSV; a column that an entry does not have is empty."""


def as_csv(kind: str, entries: Iterable[Json]) -> str:
    """Entries as CSV (RFC 4180), one row each after a row of names; lists with spaces between.

    A cell never begins with a character that a spreadsheet takes for a formula.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS[kind])
    for entry in entries:
        writer.writerow([_cell(entry.get(column)) for column in COLUMNS[kind]])
    return text.getvalue()


def words_of_trail(kind: str, answer: Json, rules: RuleSet) -> str:
    """A page of a trail in sentences, one an entry."""
    sentence = _change if kind == "changes" else _look
    lines = [sentence(entry, rules) for entry in answer["entries"]] or ["Nothing is on record."]
    if answer["more"]:
        lines.append(f"There is more: --after {answer['next']}")
    return "\n".join(lines)


def _look(entry: Json, rules: RuleSet) -> str:
    role = rules.roles[entry["role"]].title if entry["role"] in rules.roles else entry["role"]
    who = f"{entry.get('account_name') or 'the account'} ({entry['account']}; {role})"
    done = _DID.get(entry["action"], f"asked for {entry['action']}")
    if entry["outcome"] == "refused":
        done = f"was refused ({entry['rule']}): {entry['action']}"
    parts = [f"On {_when(entry['at'])}, {who} {done}"]
    parts += [f"for the account {entry['on_behalf_of']}"] if entry["on_behalf_of"] else []
    parts += [f"confirmed by {entry['confirmed_by']}"] if entry["confirmed_by"] else []
    parts += [f"stating as the reason: {_reason(entry['reason'], rules)}"] if entry["reason"] else []
    sentences = [", ".join(parts) + ".", *_shown(entry), f"It is on record as {entry['access_id']}."]
    return " ".join(sentences)


def _shown(entry: Json) -> list[str]:
    """What was shown, of one child or of several."""
    if "shown" in entry:
        fields = ", ".join(entry["fields"]).replace("_", " ")
        return (
            [f"Of this child they were shown: {fields or 'what answers such a request'}."]
            if entry["shown"]
            else ["Nothing of this child was shown."]
        )
    found = [f"Shown: {', '.join(entry['children'])}."] if entry["children"] else []
    found += [f"Asked for and not shown: {', '.join(entry['asked_for'])}."] if entry["asked_for"] else []
    if "criteria" in entry and entry["action"] == "search":
        typed = entry["criteria"]
        words = (
            ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in typed.items()) if typed else None
        )
        found.append(f"Typed: {words}." if words else "What was typed is not told.")
    return found


def _change(entry: Json, rules: RuleSet) -> str:
    who = entry.get("account_name") or entry["actor"]
    parts = [f"On {_when(entry['at'])} was recorded: {entry['event'].replace('-', ' ')}"]
    parts += [f"true from {entry['effective']}"] if entry["effective"] else []
    parts += [f"said by: {entry['source']}"] if entry["source"] else []
    parts += [f"entered by {who}"] if who else []
    parts += [f"for this reason: {_reason(entry['reason'], rules)}"] if entry["reason"] else []
    return ", ".join(parts) + "."


def _when(at: str) -> str:
    instant = datetime.fromisoformat(at).astimezone(UTC)
    return f"{instant.day} {instant:%B %Y at %H:%M:%S} UTC"


def _reason(code: str, rules: RuleSet) -> str:
    return f"{rules.purposes[code].title} ({code})" if code in rules.purposes else code


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        value = "; ".join(f"{name} {one}" for name, one in value.items())
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
