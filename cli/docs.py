"""Writes the documents that are made from the code: `python -m cli.docs`; `--check` says whether they are stale."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import typer.main

from adapters.kafka import messages
from adapters.keys.parts import field_table
from adapters.rule_files import packaged, present
from cli import access_page, rules_page
from cli.main import app
from domain.access import events as access_events
from domain.account import events as account_events
from domain.child_record import events as child_events
from domain.destruction import events as destruction_events
from domain.investigation import events as investigation_events
from domain.kernel import EventTypes, StreamKind
from domain.organisation import events as organisation_events
from domain.personal_data import parts_of
from domain.proposal import events as proposal_events
from domain.rule_set import events as rule_set_events
from domain.rule_set import model as rule_set_model
from domain.supply import events as supply_events
from ingest.population.shares import HAPPENINGS, SLIPS, SOURCES
from ingest.sources import case_management

DOCS: Final = Path(__file__).resolve().parent.parent / "docs"
BEGIN: Final = "<!-- made by ./dev docs: begin -->"
END: Final = "<!-- made by ./dev docs: end -->"

AGGREGATES: Final[tuple[tuple[str, StreamKind, EventTypes], ...]] = (
    ("Child record", StreamKind.CHILD, child_events.EVENTS),
    (
        "Supplied files",
        StreamKind.SYSTEM,
        EventTypes((supply_events.FileReceived, supply_events.FileWithdrawn)),
    ),
    (
        "Source records held back",
        StreamKind.CHILD,
        EventTypes(
            (
                supply_events.SourceRecordHeld,
                supply_events.HeldRecordDecided,
                supply_events.SourceRecordReleased,
            )
        ),
    ),
    ("Account", StreamKind.STAFF, account_events.EVENTS),
    ("Organisation", StreamKind.STAFF, organisation_events.EVENTS),
    ("Rule set", StreamKind.SYSTEM, rule_set_events.EVENTS),
    ("Destruction", StreamKind.SYSTEM, destruction_events.EVENTS),
    ("Acts that need two people", StreamKind.SYSTEM, proposal_events.EVENTS),
    ("Investigations", StreamKind.STAFF, investigation_events.EVENTS),
    ("Access (the access log)", StreamKind.ACCESS, access_events.EVENTS),
)


def documents() -> dict[Path, str]:
    """Every generated document with its text as it should be."""
    made = {
        DOCS / "events.md": _events(),
        DOCS / "commands.md": _commands(),
        DOCS / "access.md": access_page.page(present()),
        DOCS / "case-management.schema.json": json.dumps(case_management.schema(), indent=2) + "\n",
    }
    stored_forms = DOCS / "stored-forms.md"
    if stored_forms.exists():
        made[stored_forms] = _between(stored_forms.read_text("utf-8"), _fields())
    rules = DOCS / "rules.md"
    sets = [file.rules for file in packaged().values()]
    made[rules] = _between(rules.read_text("utf-8"), rules_page.page(sets))
    made[DOCS / "rule-set.schema.json"] = (
        json.dumps(rule_set_model.schema(), indent=2, ensure_ascii=False) + "\n"
    )
    population = DOCS / "population.md"
    made[population] = _between(population.read_text("utf-8"), _shares())
    for name in messages.TYPES:
        schema = json.dumps(messages.schema_of(name), indent=2, ensure_ascii=False)
        made[DOCS / "messages" / f"{name}.schema.json"] = schema + "\n"
    return made


def main(arguments: list[str]) -> int:
    """Write them, or with --check say which are stale. Returns the status."""
    stale = [
        (path, text)
        for path, text in documents().items()
        if not path.is_file() or path.read_text("utf-8") != text
    ]
    if "--check" in arguments:
        for path, _ in stale:
            sys.stderr.write(f"docs/{path.relative_to(DOCS)} is stale: run ./dev docs\n")
        return 1 if stale else 0
    for path, text in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


def _events() -> str:
    lines = [
        "# Event catalogue",
        "",
        "Made by `./dev docs` from the event classes. Every class of every version that was ever stored is here. A",
        "concealed event hides its name too: without the child's content key nobody can tell which of them it is.",
        "Which field lies under which key stands in [stored forms](stored-forms.md).",
    ]
    for title, _, types in AGGREGATES:
        lines += ["", f"## {title}"]
        for event_class in types:
            lines += [
                "",
                f"### `{event_class.NAME}` v{event_class.VERSION}",
                "",
                " ".join((event_class.__doc__ or "").split()),
            ]
            if event_class.CONCEALED:
                lines += ["", "Concealed."]
            needed = {name for name, field in event_class.model_fields.items() if field.is_required()}
            rows = [
                f"| `{name}` | {part.name.lower()} | {'yes' if name in needed else 'no'} |"
                for name, part in parts_of(event_class).items()
            ]
            lines += ["", "| field | part | required |", "|---|---|---|", *rows] if rows else []
    return "\n".join(lines) + "\n"


def _fields() -> str:
    return field_table([(kind, types) for _, kind, types in AGGREGATES])


def _shares() -> str:
    lines = ["| name | what | of | % | source |", "|---|---|---|--:|---|"]
    lines += [
        f"| `{name}` | {one.what} | {one.of} | {_percent(one.share)} | {one.because} |"
        for name, one in HAPPENINGS.items()
    ]
    lines += [
        "",
        f"| slip | what | {' % | '.join(SOURCES)} % | source |",
        f"|---|---|{'--:|' * len(SOURCES)}---|",
    ]
    lines += [
        f"| `{name}` | {slip.what} | {' | '.join(map(_percent, slip.shares))} | {slip.because} |"
        for name, slip in SLIPS.items()
    ]
    return "\n".join(lines) + "\n"


def _percent(share: float) -> str:
    return f"{100 * share:.4g}"


def _between(text: str, table: str) -> str:
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{table}\n{END}{after}"


def _commands() -> str:
    lines = [
        "# Commands",
        "",
        "Made by `./dev docs`. See [operations](operations.md) for how to use them.",
    ]
    for path, command in _walk(typer.main.get_command(app), "contactpoint"):
        lines += ["", f"## {path}", "", " ".join((command.help or "").split())]
        rows = [
            f"| `{_names(parameter)}` | {getattr(parameter, 'help', '') or ''} |"
            for parameter in command.params
            if parameter.name not in {"help", "install_completion", "show_completion"}
        ]
        if rows:
            lines += ["", "| takes | |", "|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _names(parameter: click.Parameter) -> str:
    if parameter.param_type_name == "argument":
        return (parameter.name or "").upper()
    return ", ".join(parameter.opts)


def _walk(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from _walk(below, f"{path} {name}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
