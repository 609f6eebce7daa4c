"""`record VERB CHILD …`: one verb for each command of the child record. Each answers with a receipt and nothing else.

The receipt is random and says nothing of what was found: whoever writes to a shielded record learns nothing by it.
"""

import inspect
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any

import typer

from cli.app import App
from cli.output import words_of_receipt
from cli.parsing import birth_date, day_of, gender_of
from cli.proposals import Propose, words_of_proposal
from cli.session import session
from cli.two_people import TwoPeople
from domain.child_record import commands
from domain.child_record.events import Judgement, Source, SourceKind
from domain.errors import BadInput
from domain.kernel import Command

record = typer.Typer(no_args_is_help=True, help="Change one child's record: one verb per command.")

Child = Annotated[str, typer.Argument(help="The child's id or index number.")]
On = Annotated[str | None, typer.Option("--on", help="The day it is true from, YYYY-MM-DD. Default: today.")]
Given = Annotated[list[str] | None, typer.Option("--given", help="A given name; repeat for more.")]
Family = Annotated[str | None, typer.Option("--family", help="Family name.")]
NameKind = Annotated[str, typer.Option("--name-kind", help="current, former or alias.")]
Dob = Annotated[str | None, typer.Option("--dob", help="Date of birth, YYYY-MM-DD.")]
GenderText = Annotated[str | None, typer.Option("--gender", help="female, male or not-specified.")]
Nhs = Annotated[str | None, typer.Option("--nhs-number", help="NHS number.")]
State = Annotated[
    str | None,
    typer.Option("--address", help="State of the address: current, last-known, none-known or left-england."),
]
Line = Annotated[
    list[str] | None, typer.Option("--line", help="A line of the address, most particular first; repeat.")
]
Post = Annotated[str | None, typer.Option("--postcode", help="Postcode of the address.")]
Intent = Annotated[
    str | None, typer.Option("--return-intended", help="With left-england: yes, no or unknown.")
]
CarerName = Annotated[
    list[str] | None, typer.Option("--carer", help="A carer, written 'Given Family'; repeat for more.")
]
CarerStanding = Annotated[
    str, typer.Option("--carer-standing", help="parental-responsibility, care or both.")
]
School = Annotated[str | None, typer.Option("--school", help="Name of the school.")]
SchoolCode = Annotated[str | None, typer.Option("--school-code", help="Number of the school.")]
Practice = Annotated[str | None, typer.Option("--practice", help="Name of the general practice.")]
PracticeCode = Annotated[str | None, typer.Option("--practice-code", help="Code of the general practice.")]
InvolvementId = Annotated[str | None, typer.Option("--involvement", help="Its id.")]
SensitiveService = Annotated[
    str | None, typer.Option("--service", help="Or the name of the sensitive service.")
]
Judged = Annotated[
    bool | None,
    typer.Option(
        "--competent/--not-competent",
        help="Sensitive services only: the practitioner judged this child competent to decide on it, or not. Default: "
        "as the rules presume at the child's age.",
    ),
]
Identifier = Annotated[
    list[str] | None,
    typer.Option("--identifier", help="A number a body allocated, SCHEME:BODY:VALUE; repeat for more."),
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(record, name="record")


def _of_facts(
    given: Given = None,
    family: Family = None,
    dob: Dob = None,
    gender: GenderText = None,
    nhs_number: Nhs = None,
    on: On = None,
    address: State = None,
    line: Line = None,
    postcode: Post = None,
    return_intended: Intent = None,
    carer: CarerName = None,
    carer_standing: CarerStanding = "parental-responsibility",
    school: School = None,
    school_code: SchoolCode = None,
    practice: Practice = None,
    practice_code: PracticeCode = None,
    identifier: Identifier = None,
) -> None:
    """Holds the options that say facts of a child, for every verb that takes them."""


def takes_facts(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the options of `_of_facts` in the place of its `**typed`."""
    own, of_facts = inspect.signature(verb), inspect.signature(_of_facts)
    named = [
        parameter
        for parameter in own.parameters.values()
        if parameter.kind is not inspect.Parameter.VAR_KEYWORD
    ]
    verb.__signature__ = own.replace(parameters=[*named, *of_facts.parameters.values()])  # type: ignore[attr-defined]
    verb.__annotations__ = {**_of_facts.__annotations__, **verb.__annotations__}
    return verb


@record.command()
@takes_facts
def register(
    context: typer.Context,
    authority: Annotated[
        str | None, typer.Option("--authority", help="The responsible local authority's code.")
    ] = None,
    **typed: Any,
) -> None:
    """Register a child. Search first: one who is held already is not registered twice."""
    run = session(context)
    with run.app() as app:
        actor = app.viewer(run.actor())
        command = commands.RegisterChild.model_validate(
            {
                "at": app.now(),
                "source_kind": SourceKind.AUTHORITY,
                "source": Source(body=actor.body),
                "index_number": app.ids.index_number(),
                "owning_authority": authority or actor.area,
                **facts_of(app.today(), "current", typed),
            }
        )
        run.output.answer({"receipt": app.register(command, actor)}, words_of_receipt)


@record.command("assert")
@takes_facts
def assert_facts(context: typer.Context, child: Child, name_kind: NameKind = "current", **typed: Any) -> None:
    """Add what your service knows of the child."""
    _assert(context, child, SourceKind.PRACTITIONER, name_kind, typed)


@record.command()
@takes_facts
def correct(context: typer.Context, child: Child, name_kind: NameKind = "current", **typed: Any) -> None:
    """Correct a fact. A later identical feed does not undo it."""
    _assert(context, child, SourceKind.OFFICER, name_kind, typed)


def _assert(
    context: typer.Context, child: str, source_kind: SourceKind, name_kind: str, typed: dict[str, Any]
) -> None:
    def make(app: App, body: str) -> Command:
        facts = facts_of(app.today(), name_kind, typed)
        return commands.AssertFacts.model_validate(
            {"at": app.now(), "source_kind": source_kind, "source": Source(body=body), **facts}
        )

    do(context, child, make)


@record.command("assign-authority")
def assign_authority(
    context: typer.Context,
    child: Child,
    authority: Annotated[str, typer.Option("--authority", help="The local authority's code.")],
) -> None:
    """Make a local authority responsible for a record that has none yet."""
    do(context, child, lambda app, _: commands.AssignAuthority(at=app.now(), authority=authority))


@record.command()
def involve(
    context: typer.Context,
    child: Child,
    service: Annotated[str, typer.Option("--service", help="Name of the service.")],
    kind: Annotated[str, typer.Option("--kind", help="universal, additional or sensitive.")],
    organisation: Annotated[
        str | None, typer.Option("--organisation", help="The organisation that provides it.")
    ] = None,
    role: Annotated[str | None, typer.Option("--role", help="The practitioner's role.")] = None,
    telephone: Annotated[
        str | None, typer.Option("--telephone", help="Telephone number of the service.")
    ] = None,
    email: Annotated[str | None, typer.Option("--email", help="E-mail address of the service.")] = None,
    lead: Annotated[bool, typer.Option("--lead", help="This practitioner is the lead professional.")] = False,
    assessment: Annotated[
        bool, typer.Option("--assessment", help="The service holds a common assessment.")
    ] = False,
    concern: Annotated[
        bool,
        typer.Option(
            "--concern", help="There is a cause for concern: that alone, and only where the rules hold it."
        ),
    ] = False,
    began: Annotated[str | None, typer.Option("--began", help="The day it began. Default: today.")] = None,
    consent: Annotated[
        str | None,
        typer.Option(
            "--consent",
            help="Sensitive services only: who consented (child, young-person, parent), or none. You attest to it. "
            "Default: whoever decides at the child's age by the rules; with --cause: none.",
        ),
    ] = None,
    competent: Judged = None,
    cause: Annotated[
        bool,
        typer.Option(
            "--cause",
            help="Sensitive services only: the provider has reasonable cause to suspect significant harm.",
        ),
    ] = False,
    considered_by: Annotated[
        str | None, typer.Option("--considered-by", help="With --cause: the provider who considered it.")
    ] = None,
    review_on: Annotated[
        str | None, typer.Option("--review-on", help="With --cause: when it is looked at again.")
    ] = None,
) -> None:
    """Record that a service is involved. A sensitive one needs a consent or a reasonable cause (reg 11(3))."""
    sensitive = kind == "sensitive"
    if cause and not considered_by:
        raise BadInput("Say who considered the cause: --considered-by.", field="considered-by")

    def make(app: App, body: str) -> Command:
        today = app.today()
        start = day_of(began, "began") or today
        given = (
            {"given_by": consent, "given_on": start} if sensitive and consent not in (None, "none") else None
        )
        reason = {
            "considered_on": today,
            "considered_by": considered_by,
            "review_on": day_of(review_on, "review-on"),
        }
        return commands.BeginInvolvement.model_validate(
            {
                "at": app.now(),
                "involvement": app.ids.new(),
                "service": service,
                "kind": kind,
                "organisation": organisation,
                "role": role,
                "contact": {"telephone": telephone, "email": email},
                "lead_professional": lead,
                "common_assessment": assessment,
                "concern": concern,
                "began": start,
                "consent": given,
                "consented_on": start if sensitive and consent is None and not cause else None,
                "judgement": _judgement(competent, start),
                "cause": reason if cause else None,
                "source": Source(body=body),
            }
        )

    do(context, child, make)


@record.command("end-involvement")
def end_involvement(
    context: typer.Context,
    child: Child,
    involvement: Annotated[str | None, typer.Option("--involvement", help="Its id.")] = None,
    service: Annotated[
        str | None, typer.Option("--service", help="Or the name of the service, where it is the only one.")
    ] = None,
    on: On = None,
) -> None:
    """Record that a service is no longer involved."""
    do(
        context,
        child,
        lambda app, _: commands.EndInvolvement(
            at=app.now(),
            involvement=app.involvement(child, involvement, service),
            ended=day_of(on, "on") or app.today(),
        ),
    )


@record.command("withdraw-consent")
def withdraw_consent(
    context: typer.Context,
    child: Child,
    involvement: Annotated[str | None, typer.Option("--involvement", help="Its id.")] = None,
    service: SensitiveService = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by",
            help="Who withdraws it: child, young-person or parent. Default: whoever gave it. "
            "A parent does not withdraw what the child decided: nothing changes then.",
        ),
    ] = None,
    on: On = None,
) -> None:
    """Withdraw consent to a sensitive service being recorded. It goes from every reader's sight at once."""
    do(
        context,
        child,
        lambda app, _: commands.WithdrawSensitiveConsent.model_validate(
            {
                "at": app.now(),
                "involvement": app.involvement(child, involvement, service),
                "withdrawn_on": day_of(on, "on") or app.today(),
                "by": by,
            }
        ),
    )


@record.command("give-consent")
def give_consent(
    context: typer.Context,
    child: Child,
    involvement: InvolvementId = None,
    service: SensitiveService = None,
    by: Annotated[
        str | None,
        typer.Option(
            "--by", help="Who consents: child, young-person or parent. Default: whoever decides by the rules."
        ),
    ] = None,
    competent: Judged = None,
    on: On = None,
) -> None:
    """Record that whoever decides consented anew: asked afresh, or after a withdrawal. You attest to it."""

    def make(app: App, _: str) -> Command:
        given_on = day_of(on, "on") or app.today()
        return commands.GiveSensitiveConsent.model_validate(
            {
                "at": app.now(),
                "involvement": app.involvement(child, involvement, service),
                "given_on": given_on,
                "given_by": by,
                "judgement": _judgement(competent, given_on),
            }
        )

    do(context, child, make)


@record.command("judge-competence")
def judge_competence(
    context: typer.Context,
    child: Child,
    competent: Annotated[
        bool, typer.Option("--competent/--not-competent", help="As the practitioner judged in this case.")
    ],
    involvement: InvolvementId = None,
    service: SensitiveService = None,
    on: On = None,
) -> None:
    """Record that a child was judged competent, or not, to decide on a sensitive service."""
    do(
        context,
        child,
        lambda app, _: commands.JudgeCompetence.model_validate(
            {
                "at": app.now(),
                "involvement": app.involvement(child, involvement, service),
                "judgement": _judgement(competent, day_of(on, "on") or app.today()),
            }
        ),
    )


@record.command("review-cause")
def review_cause(
    context: typer.Context,
    child: Child,
    considered_by: Annotated[
        str, typer.Option("--considered-by", help="The provider who looked at its cause again.")
    ],
    stands: Annotated[
        bool, typer.Option("--stands/--no-longer", help="Whether there is still reasonable cause.")
    ],
    involvement: InvolvementId = None,
    service: SensitiveService = None,
    review_on: Annotated[
        str | None, typer.Option("--review-on", help="When it is looked at again. Default: as the rules say.")
    ] = None,
    on: On = None,
) -> None:
    """Record that a provider looked again at its cause to suspect significant harm, and whether there still is one."""
    do(
        context,
        child,
        lambda app, _: commands.ReviewCause(
            at=app.now(),
            involvement=app.involvement(child, involvement, service),
            considered_on=day_of(on, "on") or app.today(),
            considered_by=considered_by,
            stands=stands,
            review_on=day_of(review_on, "review-on"),
        ),
    )


@record.command()
def shield(
    context: typer.Context,
    child: Child,
    ground: Annotated[
        str, typer.Option("--ground", help="child-at-risk, placement-at-risk, adult-at-risk or crime.")
    ],
) -> None:
    """Hide where the child is, at once and from everyone but those who must know.

    Where brothers or sisters live may be where the child is: `record siblings CHILD` lists whom to think of.
    """
    do(
        context,
        child,
        lambda app, body: commands.RaiseShield(
            at=app.now(), shield=app.ids.new(), ground=ground, source=Source(body=body)
        ),
    )


@record.command("lift-shield")
def lift_shield(
    context: typer.Context,
    child: Child,
    reason: Annotated[
        str, typer.Option("--reason", help="Why: a short code, for example risk-ended.")
    ] = "risk-ended",
    consulted: Annotated[
        list[str] | None,
        typer.Option(
            "--consulted",
            help="Who was heard, by code; repeat for more. With --propose: record it with review-shield before.",
        ),
    ] = None,
    propose: Propose = False,
) -> None:
    """Show again where the child is. Needs two authorised people: --as one and --with another, or --propose.

    A shield that was asked for and granted comes down once notice has been given (`retention run`), others at once.
    """
    run = session(context)
    with run.app() as app:
        actor, two = app.viewer(run.actor()), TwoPeople(app)
        if propose or not app.training:
            if consulted:
                raise BadInput(
                    "What is proposed holds no list: record who was heard with `record review-shield` first.",
                    code="usage",
                    field="consulted",
                )
            answer = two.propose_lift(app.child_or_nobody(child), reason, actor)
            run.output.answer(answer, words_of_proposal)
            return
        second = app.viewer(run.two())
        found, heard = app.child_or_nobody(child), tuple(consulted or ())
        run.output.answer(two.lift_shield(found, reason, actor, second, heard), words_of_receipt)


@record.command("consent-to-extension")
def consent_to_extension(
    context: typer.Context,
    child: Child,
    category: Annotated[str, typer.Option("--category", help="care-leaver or learning-disability.")],
    on: On = None,
) -> None:
    """Record a young person's consent to be kept beyond 18, to 25 at most."""
    do(
        context,
        child,
        lambda app, _: commands.GiveExtensionConsent(
            at=app.now(), given_on=day_of(on, "on") or app.today(), category=category
        ),
    )


@record.command("withdraw-extension")
def withdraw_extension(context: typer.Context, child: Child, on: On = None) -> None:
    """Record that this consent is withdrawn; after 18 the record is archived that day."""
    do(
        context,
        child,
        lambda app, _: commands.WithdrawExtensionConsent(
            at=app.now(), withdrawn_on=day_of(on, "on") or app.today()
        ),
    )


@record.command("notify-death")
def notify_death(
    context: typer.Context,
    child: Child,
    on: Annotated[str, typer.Option("--on", help="Date of death, YYYY-MM-DD.")],
) -> None:
    """Record that a death was notified."""
    do(
        context,
        child,
        lambda app, body: commands.NotifyDeath.model_validate(
            {"at": app.now(), "died_on": day_of(on, "on"), "source": Source(body=body)}
        ),
    )


@record.command("reverse-death")
def reverse_death(context: typer.Context, child: Child) -> None:
    """Record that a death was notified by mistake: the record is as live as if it never had been."""
    do(
        context,
        child,
        lambda app, body: commands.ReverseDeath(at=app.now(), source=Source(body=body)),
    )


@record.command()
def archive(
    context: typer.Context,
    child: Child,
    ground: Annotated[
        str, typer.Option("--ground", help="The rule under which it is due, as `retention due` names it.")
    ],
) -> None:
    """Archive a record that is due. `retention run` does this for all that fall due."""
    do(
        context,
        child,
        lambda app, _: commands.ArchiveRecord(at=app.now(), archived_on=app.today(), ground=ground),
    )


def do(
    context: typer.Context, child: str, make: Callable[[App, str], Command], acting: str | None = None
) -> None:
    """Carry out a command on a record, made for the body of whoever acts, and answer with its receipt.

    acting: who acts in a training home where nobody is named.
    """
    run = session(context)
    with run.app() as app:
        actor = app.viewer(run.actor(acting if app.training else None))
        receipt = app.record(app.child_or_nobody(child), make(app, actor.body), actor)
        run.output.answer({"receipt": receipt}, words_of_receipt)


def facts_of(today: date, name_kind: str, typed: dict[str, Any]) -> dict[str, Any]:
    """The fields of an assertion, from what was typed."""
    effective = day_of(typed["on"], "on") or today
    facts: dict[str, Any] = {
        "effective": effective,
        "date_of_birth": birth_date(typed["dob"]),
        "gender": gender_of(typed["gender"]),
        "nhs_number": typed["nhs_number"],
    }
    if typed["given"] and not typed["family"]:
        raise BadInput("A name needs a family name: --family.", field="family")
    if typed["family"]:
        facts["names"] = [{"given": typed["given"] or [], "family": typed["family"], "kind": name_kind}]
    if typed["address"] or typed["line"] or typed["postcode"]:
        facts["whereabouts"] = _whereabouts(typed, effective)
        facts["address_effective"] = effective
    if typed["carer"]:
        facts["carers"] = [_carer(name, typed["carer_standing"]) for name in typed["carer"]]
    if typed["school"] or typed["school_code"]:
        facts["education"] = {"name": typed["school"], "code": typed["school_code"]}
    if typed["practice"] or typed["practice_code"]:
        facts["practice"] = {"name": typed["practice"], "code": typed["practice_code"]}
    if typed["identifier"]:
        facts["identifiers"] = [_identifier(text) for text in typed["identifier"]]
    return facts


def _judgement(competent: bool | None, judged_on: date) -> Judgement | None:
    return None if competent is None else Judgement(competent, judged_on)


def _whereabouts(typed: dict[str, Any], effective: date) -> dict[str, Any]:
    state, lines, postcode = typed["address"] or "current", typed["line"] or [], typed["postcode"]
    if state in ("none-known", "left-england") and (lines or postcode):
        raise BadInput(
            "Where no address is known, or the child left England, there is none: leave out --line and --postcode.",
            field="address",
        )
    if state != "left-england" and typed["return_intended"]:
        raise BadInput("--return-intended goes with --address left-england only.", field="return-intended")
    match state:
        case "current" | "last-known":
            if not lines and not postcode:
                raise BadInput(
                    "This state of an address needs the address: --line, --postcode.", field="line"
                )
            return {"state": state, "address": {"lines": lines, "postcode": postcode}}
        case "none-known":
            return {"state": state}
        case "left-england":
            intended = typed["return_intended"] or "unknown"
            return {"state": state, "return_intended": intended, "considered_left": effective}
        case _:
            raise BadInput(
                "--address is one of current, last-known, none-known, left-england.", field="address"
            )


def _carer(text: str, standing: str) -> dict[str, Any]:
    *given, family = text.split() or [""]
    if not family:
        raise BadInput("A carer is written 'Given Family'.", field="carer")
    return {"name": {"given": given, "family": family}, "standing": standing}


def _identifier(text: str) -> dict[str, str]:
    parts = text.split(":")
    if len(parts) != 3:
        raise BadInput("An identifier is written SCHEME:BODY:VALUE.", field="identifier")
    scheme, body, value = parts
    return {"scheme": scheme, "allocated_by": body, "value": value}
