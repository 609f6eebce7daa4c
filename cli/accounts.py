"""`account`: who may look. Granted, suspended and ended by account managers, who look at nothing themselves."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from cli.granting import Granting, body_of
from cli.output import Json
from cli.parsing import account_name, body_code, day_of
from cli.session import Session, session
from domain.account import commands
from domain.errors import AccessDenied
from domain.kernel import Command
from domain.policy.sessions import age_limit
from domain.rule_set.model import Right

account = typer.Typer(no_args_is_help=True, help="Accounts: who may look, as what, and on which conditions.")

Name = Annotated[str, typer.Argument(help="The account's name.")]
Because = Annotated[
    str, typer.Option("--reason", help="Why: a code, for example left or requested-by-manager.")
]
Purpose = Annotated[
    list[str] | None,
    typer.Option(
        "--purpose", help="A reason code it may look for; repeat for more. Default: all of the role's."
    ),
]
Override = Annotated[
    bool, typer.Option("--override", help="May look behind a shield; only for roles that may.")
]
Condition = Annotated[str, typer.Argument(help="authorisation, check, training, agreement or authenticator.")]
MetOn = Annotated[str | None, typer.Option("--on", help="The day it was met on, YYYY-MM-DD. Default: today.")]
Ends = Annotated[
    str | None,
    typer.Option(
        "--ends", help="The first day on which it holds no more, where that is sooner than by rule."
    ),
]
Reference = Annotated[
    str | None,
    typer.Option(
        "--reference", help="The number of the authenticator, or that of the evidence kept elsewhere."
    ),
]
Limit = Annotated[int, typer.Option("--limit", min=1, max=200, help="How many at most.")]
After = Annotated[str | None, typer.Option("--after", help="Go on from here: `next` of the page before.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(account, name="account")


@contextmanager
def granting(run: Session, right: Right) -> Iterator[Granting]:
    """The home, and who manages accounts in it: in a training home `account-manager`, if nobody else is named."""
    with run.app() as app:
        manager = app.permitted(run.actor("account-manager" if app.training else None), right)
        yield Granting(app, manager)


@account.command()
def grant(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="What the account is called by; never used again.")],
    role: Annotated[str, typer.Option("--role", help="Its role, for example practitioner.")],
    organisation: Annotated[
        str, typer.Option("--organisation", help="Body code of the organisation its holder works for.")
    ],
    holder: Annotated[str, typer.Option("--holder", help="The holder's staff number there.")],
    area: Annotated[
        str | None,
        typer.Option(
            "--area", help="Code of the authority in whose area the holder works. Default: your own."
        ),
    ] = None,
    title: Annotated[str | None, typer.Option("--title", help="What the holder is, in a few words.")] = None,
    purpose: Purpose = None,
    override: Override = False,
) -> None:
    """Grant an account. It lets nobody in before every condition of access is on record."""
    run = session(context)
    with granting(run, "account") as work:
        employer = body_of(work, organisation)
        known = work.app.rules.roles.get(role)
        command = commands.OpenAccount(
            at=work.app.now(),
            name=name,
            title=title,
            role=role,
            organisation=employer.organisation_id,
            body=organisation,
            area=area or work.manager.area,
            purposes=tuple(purpose or (known.purposes if known else ())),
            may_override=override,
            holder=holder,
        )
        run.output.answer(work.shown(work.grant(command)), changed_account)


@account.command("show")
def show_account(context: typer.Context, name: Name) -> None:
    """Show one account: its role, whether it is let in now, every condition, and who decided what."""
    run = session(context)
    with granting(run, "account") as work:
        run.output.answer(work.shown(work.account(name).account_id, history=True), changed_account)


@account.command("list")
def list_accounts(
    context: typer.Context,
    organisation: Annotated[
        str | None, typer.Option("--organisation", help="Of this organisation alone: its body code.")
    ] = None,
    limit: Limit = 50,
    after: After = None,
) -> None:
    """List the accounts that are yours to decide on, by name, and whether each is let in now."""
    run = session(context)
    with granting(run, "account") as work:
        body = None if organisation is None else body_code(organisation, "organisation")
        answer = work.accounts(body, account_name(after, "after") if after else "", limit)
        run.output.answer(answer, lambda a: "\n".join(map(changed_account, a["accounts"])))


@account.command()
def suspend(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(metavar="NAME…", help="The accounts' names.")],
    reason: Because,
) -> None:
    """Let these accounts in no more, from this instant; several at once, for example where two shared a token."""
    _change(context, names, lambda work: commands.SuspendAccount(at=work.app.now(), reason=reason))


@account.command()
def reinstate(context: typer.Context, name: Name, reason: Because) -> None:
    """Let an account in again, if every condition holds."""
    _change(context, [name], lambda work: commands.ReinstateAccount(at=work.app.now(), reason=reason))


@account.command()
def end(context: typer.Context, name: Name, reason: Because) -> None:
    """End an account for good. Its name never means anybody else."""
    _change(context, [name], lambda work: commands.CloseAccount(at=work.app.now(), reason=reason))


@account.command("assign-role")
def assign_role(
    context: typer.Context,
    name: Name,
    role: Annotated[str, typer.Option("--role", help="The new role.")],
    purpose: Purpose = None,
    override: Override = False,
) -> None:
    """Give an account another role. The manager's authorisation was for the old one: have it recorded anew."""

    def make(work: Granting) -> Command:
        known = work.app.rules.roles.get(role)
        purposes = tuple(purpose or (known.purposes if known else ()))
        return commands.AssignRole(at=work.app.now(), role=role, purposes=purposes, may_override=override)

    _change(context, [name], make)


@account.command()
def condition(
    context: typer.Context,
    name: Name,
    condition: Condition,
    on: MetOn = None,
    ends: Ends = None,
    reference: Reference = None,
) -> None:
    """Record that a condition of access was met: a check, a training, an agreement, a manager's authorisation."""

    make = recorded(commands.RecordAccountCondition, condition, on, ends, reference)
    _change(context, [name], make)


def recorded(
    command: Callable[..., Command], condition: str, on: str | None, ends: str | None, reference: str | None
) -> Callable[[Granting], Command]:
    """What makes the command that records a condition, of an account or of an organisation. Raises BadInput."""
    return lambda work: command(
        at=work.app.now(),
        condition=condition,
        met_on=day_of(on, "on") or work.app.today(),
        ends_on=day_of(ends, "ends"),
        reference=reference,
    )


@account.command("withdraw-condition")
def withdraw_condition(context: typer.Context, name: Name, condition: Condition, reason: Because) -> None:
    """Take a condition back: its holder is not let in until it is met anew."""
    _change(
        context,
        [name],
        lambda work: commands.WithdrawAccountCondition(at=work.app.now(), condition=condition, reason=reason),
    )


@account.command()
def authenticator(context: typer.Context, name: Name) -> None:
    """Let the holder register an authenticator: prints the code for it, once. Give it to them and to nobody else.

    For the first authenticator, and in place of one that was lost; what is registered stands until the holder has
    registered another.
    """
    run = session(context)
    with granting(run, "account") as work:
        run.output.answer(work.issue_enrolment(name), words_of_enrolment)


@account.command()
def token(context: typer.Context, name: Name) -> None:
    """Sign an account in without asking anything, in a training home: prints a bearer token for the API."""
    run = session(context)
    with granting(run, "account") as work:
        if not work.app.training:
            raise AccessDenied(
                "Only a training home gives tokens away. Elsewhere everybody signs in: `contactpoint sign-in`.",
                code="training-only",
            )
        found = work.account(name)
        begun = work.app.signing.sessions.begin(found.account_id, "training", work.app.now(), proved=False)
        answer = {
            "account": found.account_id,
            "session": begun.session.session_id,
            "until": begun.session.began_at + age_limit(work.app.rules),
            "token": begun.token,
        }
        run.output.answer(answer, lambda a: str(a["token"]))


def words_of_enrolment(answer: Json) -> str:
    """An enrolment, for whoever hands it over."""
    return (
        f"Enrolment of {answer['name']}, good once and until {answer['until']:%Y-%m-%d %H:%M} UTC:\n"
        f"    {answer['enrolment']}\n"
        f"They register with: contactpoint enrol begin {answer['name']}"
    )


def _change(context: typer.Context, names: list[str], make: Callable[[Granting], Command]) -> None:
    run = session(context)
    with granting(run, "account") as work:
        changed = work.change(names, make(work))
        answer = changed[0] if len(changed) == 1 else {"accounts": changed}
        run.output.answer(answer, lambda _: "\n".join(map(changed_account, changed)))


def changed_account(answer: Json) -> str:
    """An account in words, a line for each condition."""
    how = "let in" if answer["let_in"] else f"not let in: {', '.join(answer['refusals'])}"
    lines = [
        f"{answer['name']}: {answer['role']} of {answer['body']}, may look for {', '.join(answer['purposes'])}; {how}",
        *map(words_of_condition, answer["conditions"]),
    ]
    lines += [words_of_entry(entry) for entry in answer.get("history", ())]
    return "\n".join(lines)


def words_of_condition(one: Json) -> str:
    """A condition in one line."""
    met = f", met on {one['met_on']}" if one["met_on"] else ""
    until = f", until {one['lapses_on']}" if one["lapses_on"] else ""
    return f"  {one['condition']}: {one['state']}{met}{until}"


def words_of_entry(entry: Json) -> str:
    """What was decided, in one line."""
    what = " ".join(str(entry[key]) for key in ("condition", "role", "what", "reason") if entry.get(key))
    return f"  {entry['at']:%Y-%m-%d %H:%M}  {entry['event']} {what}  by {entry.get('account_name') or 'the index'}"
