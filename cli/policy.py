"""`policy`: the rule sets that decide: which there are, what another would change, and adopting it."""

import time
from pathlib import Path
from typing import Annotated

import typer

from cli.adopting import Adopting
from cli.output import Json
from cli.proposals import Propose, words_of_proposal
from cli.rehearsing import rehearse
from cli.session import session
from cli.two_people import TwoPeople
from domain.errors import BadInput

policy = typer.Typer(no_args_is_help=True, help="Rule sets: the law as dated data.")

File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A rule set, as TOML: `docs/rule-set.schema.json` is its form.")
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(policy, name="policy")


@policy.command("list")
def list_rule_sets(context: typer.Context) -> None:
    """List the rule sets of this home in the order in which they follow, and those that ship and are not adopted."""
    run = session(context)
    with run.app() as app:
        run.output.answer({"rule_sets": app.rule_sets()}, _rule_sets)


@policy.command("rehearse")
def rehearse_rule_set(context: typer.Context, file: File) -> None:
    """Say how many records other rules would change, as things stand: who sees more, who less, which end otherwise.

    Every record is folded from the log; nothing is shown of any, and nothing is adopted.
    """
    run = session(context)
    with run.app() as app:
        app.permitted(run.actor("operator" if app.training else None), "policy")
        other = Adopting(app).parsed(_text(file))
        began = time.monotonic()
        with run.output.progress() as bar:
            task = bar.add_task("rehearse", total=None, rate="")

            def report(done: int, total: int) -> None:
                rate = done / max(time.monotonic() - began, 1e-6)
                bar.update(task, completed=done, total=total, rate=f"{rate:,.0f} events/s")

            answer = rehearse(app, other.rules, report)
        seconds = round(time.monotonic() - began, 3)
        run.output.answer({**answer, "digest": other.digest, "seconds": seconds}, _rehearsed)


@policy.command()
def adopt(context: typer.Context, file: File, propose: Propose = False) -> None:
    """Adopt a rule set that decides from a later day on. Needs two people: --as and --with, or --propose."""
    run = session(context)
    with run.app() as app:
        actor, two, text = (
            app.viewer(run.actor("operator" if app.training else None)),
            TwoPeople(app),
            _text(file),
        )
        if propose or not app.training:
            run.output.answer(two.propose_adoption(text, actor), words_of_proposal)
            return
        run.output.answer(two.adopt(text, actor, app.viewer(run.two())), _adopted)


def _text(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        raise BadInput(
            "This file cannot be read: name one that can.", code="no-such-policy", field="file"
        ) from None


def _rule_sets(answer: Json) -> str:
    return "\n".join(
        f"{one['id']}{' (in force)' if one['in_force'] else '' if one['adopted'] else ' (not adopted)'}, "
        f"from {one['valid_from']} to {one['valid_to'] or 'the next'}: {one['title']}"
        for one in answer["rule_sets"]
    )


def _rehearsed(answer: Json) -> str:
    roles = [
        f"  {role}: sees more of {one['gains_sight']}, less of {one['loses_sight']}"
        for role, one in answer["roles"].items()
    ]
    return "\n".join(
        [
            f"{answer['other']} beside {answer['policy']}, of {answer['records']} records:",
            f"  somebody sees more of {answer['gains_sight']}, somebody sees less of {answer['loses_sight']}",
            *roles,
            f"  {answer['retention_changes']} fall due otherwise",
            f"  {answer['unopened']} could not be opened",
        ]
    )


def _adopted(answer: Json) -> str:
    return (
        f"{answer['rule_set']} is adopted and decides from {answer['valid_from']} on. On that day rebuild: "
        f"{', '.join(answer['rebuild'])}. Receipt {answer['receipt']}"
    )
