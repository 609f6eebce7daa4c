"""`search` and `show`: looking at records, with a reason, on record."""

import json
from collections.abc import Iterator
from typing import Annotated

import typer

from cli.mediating import Caller, WordFromStdin, looking_for
from cli.output import Json
from cli.parsing import birth_date, day_of, gender_of, instant_of
from cli.session import session
from domain.access.commands import OpenRecord, SearchRecords
from domain.access.events import Criteria
from domain.access.handlers import open_record
from domain.access.handlers import search as search_records
from domain.access.showing import NOT_FOUND
from domain.errors import BadInput

Reason = Annotated[str, typer.Option("--reason", help="Why you look: a reason code, for example casework.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(search)
    app.command()(show)


def search(
    context: typer.Context,
    reason: Reason,
    name: Annotated[str | None, typer.Option(help="Names in any order.")] = None,
    dob: Annotated[str | None, typer.Option(help="Date of birth, YYYY-MM-DD or DD/MM/YYYY.")] = None,
    gender: Annotated[str | None, typer.Option(help="female, male or not-specified.")] = None,
    postcode: Annotated[str | None, typer.Option(help="Postcode of the address.")] = None,
    number: Annotated[str | None, typer.Option(help="The index's own number.")] = None,
    nhs_number: Annotated[str | None, typer.Option("--nhs-number", help="NHS number.")] = None,
    on_behalf_of: Caller = None,
    stdin: WordFromStdin = False,
) -> None:
    """Find children by what the index shows of them. The search and its results are recorded first."""
    with session(context).app() as app:
        run = session(context)
        criteria = Criteria(
            name=name,
            date_of_birth=birth_date(dob),
            gender=gender_of(gender),
            postcode=postcode,
            number=number,
            nhs_number=nhs_number,
        )
        if criteria == Criteria():
            raise BadInput(
                "Say whom you look for: give a name, a date of birth, a number or a postcode.", field="name"
            )
        with looking_for(run, app, on_behalf_of, stdin=stdin) as (looking, access_id):
            command = SearchRecords(at=app.now(), access_id=access_id, reason=reason, criteria=criteria)
            shown = search_records(command, looking)
        run.output.answer({"access_id": shown.access_id, **shown.display}, _results)


def show(
    context: typer.Context,
    child: Annotated[str, typer.Argument(help="The child's id or index number.")],
    reason: Reason,
    as_of: Annotated[
        str | None, typer.Option("--as-of", help="As recorded at this instant (ISO 8601).")
    ] = None,
    effective_on: Annotated[
        str | None,
        typer.Option("--effective-on", help="As true on this day, YYYY-MM-DD, as far as it is known."),
    ] = None,
    override: Annotated[
        bool,
        typer.Option(help="Look behind a shield; only for roles that may. An investigation follows at once."),
    ] = False,
    on_behalf_of: Caller = None,
    stdin: WordFromStdin = False,
) -> None:
    """Show one record as the acting account sees it, now or as it was. The look is recorded first.

    Who may see it, and in which way, is a matter of now: what is shielded since is not shown as it was before.
    """
    with session(context).app() as app:
        run = session(context)
        with looking_for(run, app, on_behalf_of, stdin=stdin) as (looking, access_id):
            command = OpenRecord(
                at=app.now(),
                access_id=access_id,
                reason=reason,
                child_id=app.child_or_nobody(child),
                as_of=instant_of(as_of, "as-of"),
                effective_on=day_of(effective_on, "effective-on"),
                override=override,
            )
            shown = open_record(command, looking)
        answer = {"access_id": shown.access_id, "record": shown.display}
        run.output.answer(answer | ({"receipt_proof": shown.receipt} if shown.receipt else {}), _record)


def _results(answer: Json) -> str:
    lines = [
        f"{hit['number']}  {words_of_name(hit.get('name'))}, born {hit.get('date_of_birth')}, {hit.get('gender')}"
        f"{'  [shielded]' if hit.get('shielded') else ''}  {hit['child_id']}"
        for hit in answer["results"]
    ]
    if not lines:
        return NOT_FOUND
    if answer["more"]:
        lines.append("There are more. Narrow the search.")
    return "\n".join(lines)


def _record(answer: Json) -> str:
    return words_of_record(answer["record"])


def words_of_name(name: object) -> str:
    """A displayed name in one line."""
    if not isinstance(name, dict):
        return "(no name held)"
    return " ".join([*name.get("given", ()), str(name.get("family", ""))])


def words_of_replay(answer: Json) -> str:
    """An access shown again, as an auditor reads it."""
    shown = answer["as_displayed"]
    if "results" in shown:
        words = (
            "\n".join(f"{hit['number']}  {words_of_name(hit.get('name'))}" for hit in shown["results"])
            or "(no results)"
        )
    elif "number" in shown:
        words = words_of_record(shown)
    else:  # of a trail, the queue or a reply: what whoever looked was told, as it was
        words = json.dumps(shown, indent=2, ensure_ascii=False) if shown else "(nothing was shown)"
    verdict = "identical to what was displayed" if answer["digest_matches"] else "NOT what was displayed"
    return f"As displayed at {answer['instant']} under {answer['policy']} ({verdict}):\n{words}"


def words_of_record(record: Json) -> str:
    """A displayed record as lines a practitioner reads."""
    lines = [
        f"{words_of_name(record.get('name'))}   number {record['number']}",
        f"  born {record.get('date_of_birth')}, {record.get('gender')}",
    ]
    if record.get("shielded"):
        lines.append("  This record is shielded: where the child is cannot be shown. Ask the local team.")
    lines += [f"  {title}: {words}" for title, words in _lines(record) if words]
    return "\n".join(lines)


def _lines(record: Json) -> Iterator[tuple[str, str]]:
    for name in record.get("former_names") or ():
        yield "formerly", words_of_name(name)
    yield "address", _address(record.get("address") or {})
    for carer in record.get("carers") or ():
        yield (
            "carer",
            _joined(
                words_of_name(carer.get("name")),
                str(carer.get("standing", "")).replace("-", " "),
                _contact(carer),
            ),
        )
    yield "education", _institution(record.get("education") or {})
    yield "general practice", _institution(record.get("general_practice") or {})
    for one in record.get("involvements") or ():
        yield "involved", _involvement(one)
    yield "note", record.get("notice") or ""
    for one in record.get("sensitive_involvements") or ():
        yield "sensitive", _involvement(one)
    yield "responsible authority", record.get("authority") or ""
    yield "withheld by its source", ", ".join(record.get("withheld") or ())


def _address(address: Json) -> str:
    where = _joined(*address.get("lines", ()), address.get("postcode"))
    match address.get("state"):
        case "last-known":
            return f"{where} (last known)"
        case "none-known":
            return "no address is known"
        case "left-england":
            return f"left England ({address.get('considered_left')}); return intended: {address.get('return_intended')}"
        case _:
            return where


def _involvement(one: Json) -> str:
    marks = [
        "lead professional" if one.get("lead_professional") else None,
        "holds a common assessment" if one.get("common_assessment") else None,
    ]
    since = f"since {one['began']}" if one.get("began") else None
    return _joined(one.get("service"), one.get("organisation"), one.get("role"), _contact(one), *marks, since)


def _institution(institution: Json) -> str:
    return _joined(institution.get("name"), institution.get("code"), _contact(institution))


def _contact(holder: Json) -> str:
    contact = holder.get("contact") or {}
    return _joined(contact.get("telephone"), contact.get("email"))


def _joined(*words: str | None) -> str:
    return ", ".join(word for word in words if word)
