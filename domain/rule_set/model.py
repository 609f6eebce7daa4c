"""A rule set: the law as dated data, read from TOML and checked whole before anything is decided by it.

What the code lets no rule set widen stands here: a shielded record shows at most `SHIELD_CEILING`.
"""

import hashlib
import tomllib
from datetime import date
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints, ValidationError, model_validator

from domain.errors import BadInput
from domain.identifiers import BodyCode, ShortCode
from domain.kernel import Immutable

RecordField: TypeAlias = Literal[
    "child_id",
    "number",
    "name",
    "former_names",
    "date_of_birth",
    "gender",
    "address",
    "carers",
    "education",
    "general_practice",
    "involvements",
    "notice",
    "identifiers",
    "sources",
    "shielded",
    "override",
    "earlier_addresses",
    "sensitive_involvements",
    "authority",
    "withheld",
    "shields",
    "archived_on",
]
"""Every field a display can have. New ones go to the end: the field mask of an access counts by this order."""

RoleSight: TypeAlias = Literal["ordinary", "shielded", "override", "manager", "archive"]

Right: TypeAlias = Literal[
    # looking
    "search",
    "show",
    "override",
    "who-saw",
    "what-saw",
    "changes",
    "replay",
    "verify",
    "due",
    "review-queue",
    "refusals",
    "mediate",
    "hand-over",
    "subject-access",
    "export-accesses",
    "what-would",
    "two-people",
    "open-archive",
    "shield-reviews",
    "broker-contact",
    "sensitive-due",
    # changing one record
    "register-child",
    "assert-facts",
    "correct-facts",
    "assign-authority",
    "withdraw-supply",
    "begin-involvement",
    "end-involvement",
    "withdraw-sensitive-consent",
    "raise-shield",
    "lift-shield",
    "give-extension-consent",
    "withdraw-extension-consent",
    "notify-death",
    "archive-record",
    "decide-held",
    "reverse-death",
    "hold",
    "decide-shield",
    "ask-contact",
    "answer-contact",
    "transfer-record",
    "allocate-authority",
    "merge-records",
    "split-record",
    "new-identity",
    "tell-recipients",
    # running the index
    "load",
    "projection",
    "policy",
    "stream",
    "retention",
    "keys",
    "account",
    "organisation",
    "investigate",
    "line-manage",
]

Alteration: TypeAlias = Literal["role", "name", "ownership", "purpose"]
"""What may change about an account (its role) or an organisation so that a condition is to be met anew."""

SignalKind: TypeAlias = Literal[
    "registered",
    "identity-changed",
    "whereabouts-changed",
    "services-changed",
    "standing-changed",
    "corrected",
    "destroyed",
]
"""What subscribers are told of a change. Coarse on purpose: the kind itself must not be a value."""

SHIELD_CEILING: Final[frozenset[RecordField]] = frozenset(
    {"child_id", "number", "name", "date_of_birth", "gender", "shielded"}
)

LookFact: TypeAlias = Literal["on", "who", "organisation", "why", "how", "what"]
"""What may be told of a look: the day; role and kind of organisation; its name; the reason; the action; the fields."""

GUARDED_FACTS: Final[frozenset[LookFact]] = frozenset({"on", "who", "why"})
GUARDED_ACTIONS: Final[frozenset[Right]] = frozenset({"search", "show"})
"""All that may be told, and of which looks, to somebody a shield may be against: nothing that one could show in."""

GRANTING: Final[frozenset[Right]] = frozenset({"account", "organisation"})
"""Rights that no role holds beside any other: whoever says who may look does not look, nor run or audit the index."""

SUSPECTED: Final = "misuse-suspected"
"""Why an account is suspended with the opening of an investigation."""
SHARED: Final = "credentials-shared"
"""Why two accounts are suspended that one authenticator was registered for."""
OWN_REASONS: Final = (SUSPECTED, SHARED)
"""Why the index itself suspends an account."""

CAUSES: Final = (
    "override",
    "declared-family",
    "own-address",
    "own-surname",
    "too-many-looks",
    "age-check",
    "sequential-names",
    "no-involvement",
)
"""Why the index itself has somebody's looks looked into; a rule set says of each what follows."""

Years = Annotated[int, Field(ge=0, le=100)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


def _once(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) != len(values):
        raise ValueError("names something twice")
    return values


Codes = Annotated[tuple[ShortCode, ...], AfterValidator(_once)]
ConditionCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z-]*$", max_length=22)]
"""Short, because codes of refusals are made of it."""
Fields = Annotated[tuple[RecordField, ...], AfterValidator(_once)]
RulePath = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_.-]*$", max_length=100)]


class Ages(Immutable):
    """Birthdays, in years: on `archive` a record leaves readers' sight, with consent on `extension`."""

    archive: Years
    extension: Years


class Periods(Immutable):
    """Whole years: live after a notified death, to an expected return, in the archive, in a manager's reach there."""

    after_death: Years
    left_england: Years
    archive: Years
    archive_manager: Years


class Extension(Immutable):
    """Who may consent to be kept beyond `ages.archive`."""

    categories: Codes


class Coverage(Immutable):
    """Whom the index covers: `says` in words, to whoever is refused; `outside`: first letters of the codes of
    authorities outside its area."""

    says: Words = "Only children in the area of an English local authority are held."
    outside: tuple[Annotated[str, StringConstraints(pattern=r"^[A-Z]$")], ...]


class Shield(Immutable):
    """Grounds on which people, sources and screening raise a shield; reasons for which two people lower it.

    reasons_without_notice: of these, for which it is lowered at once, whoever asked for it. requesters: who may ask for
    one. reasons_to_grant, reasons_to_refuse: why the responsible authority decides so. consulted: whom it hears.
    review_months: how often it is looked at again. notice_days: for so long a shield that was asked for and granted
    stands after it was decided to lower it. reply: all that whoever asks is told.
    """

    grounds: Codes
    grounds_of_sources: Annotated[Codes, Field(min_length=1)]
    grounds_of_screening: Annotated[Codes, Field(min_length=1)]
    reasons_to_lift: Codes
    reasons_without_notice: Codes = ()
    requesters: Codes = ()
    reasons_to_grant: Codes = ()
    reasons_to_refuse: Codes = ()
    consulted: Codes = ()
    review_months: Annotated[int, Field(ge=1, le=24)] = 6
    notice_days: Annotated[int, Field(ge=0, le=365)] = 28
    reply: Words = (
        "The request has been received. Whether any record is held is told to nobody who asks in this way."
    )

    def all_grounds(self) -> tuple[str, ...]:
        """Every ground under which a shield may stand."""
        return (*self.grounds, *self.grounds_of_sources, *self.grounds_of_screening)


class Authority(Immutable):
    """On what authority a record is kept from being destroyed, and the provision behind it."""

    title: Words
    basis: Words


class Holds(Immutable):
    """What may keep a record from being destroyed, and for how many years from today at most at a time."""

    years: Annotated[int, Field(ge=1, le=10)] = 1
    authorities: dict[ShortCode, Authority] = Field(default_factory=dict)


class Erasure(Immutable):
    """Reasons for which two people have a record destroyed before it is due."""

    reasons: Codes = ()


class Review(Immutable):
    """Reasons for which a record that was held back is decided upon."""

    reasons: Codes = ()


class Competence(Immutable):
    """Birthdays, in years: from `expected` a child may generally be expected to be competent to consent to a sensitive
    service, from `presumed` it is presumed to be. The practitioner decides case by case, for a child of any age."""

    expected: Years
    presumed: Years

    @model_validator(mode="after")
    def _in_order(self) -> "Competence":
        if self.presumed < self.expected:
            raise ValueError("presumed is below expected")
        return self


class Identity(Immutable):
    """On what two records are found to be of one child, or one to be of two; and the ground of shields this raises.

    closing: of the shield under which a record is closed, or its halves begin; provisional, and no person's finding.
    apart_hours: between the sealing of an identity and the registration of the one that follows it, at least.
    """

    reasons_to_merge: Codes = ()
    reasons_to_split: Codes = ()
    closing: ShortCode = "identity-in-doubt"
    apart_hours: Annotated[int, Field(ge=1, le=720)] = 24


class Sensitive(Immutable):
    """The families of sensitive service, and the one sentence in which all of them are shown.

    competence: who consents; None: these rules say nothing of it, and whoever is named has consented. review_months:
    by when a cause is looked at again where its provider named no day; None: never by itself.
    """

    families: Codes
    notice: Words
    competence: Competence | None = None
    review_months: Annotated[int, Field(ge=1, le=24)] | None = None


class Brokering(Immutable):
    """Contact with who is hidden is brokered. days: so long after it was asked for, a request is closed. may_disclose:
    what of itself a service may agree to tell."""

    days: Annotated[int, Field(ge=1, le=366)]
    may_disclose: Annotated[
        tuple[Literal["service", "organisation", "role", "contact"], ...], AfterValidator(_once)
    ]


class Concern(Immutable):
    """Whether the existence of a cause for concern may be held, as an attribute of an involvement (s.12(4)(g))."""

    held: bool = False


class Sights(Immutable):
    """The fields each sight of a record shows."""

    ordinary: Fields
    shielded: Fields
    override: Fields
    manager: Fields
    archive: Fields = ()

    def of(self, sight: RoleSight) -> tuple[RecordField, ...]:
        """The fields of one sight."""
        match sight:
            case "ordinary":
                return self.ordinary
            case "shielded":
                return self.shielded
            case "override":
                return self.override
            case "manager":
                return self.manager
            case "archive":
                return self.archive


class HitSights(Immutable):
    """The fields that a list of search results shows."""

    ordinary: Fields
    shielded: Fields


class Purpose(Immutable):
    """A reason for looking, and the provision that makes it lawful."""

    title: Words
    basis: Words


class Role(Immutable):
    """What accounts of this role may do, how they may ever see a record, and for which purposes."""

    title: Words
    may: Annotated[tuple[Right, ...], AfterValidator(_once)]
    sights: Annotated[tuple[RoleSight, ...], AfterValidator(_once)]
    purposes: Codes


class Requester(Immutable):
    """Somebody who may ask who looked at a child's record, and what they may learn.

    bases: on what they may ask, each with what makes it so. actions: looks of which they learn; `learns`: what of
    each. sources: the fields of whose source they learn. guarded: a shield may be against them, so what is withheld is
    decided upon for each reply, and they learn nothing that a shield could show in.
    """

    title: Words
    bases: Annotated[dict[ShortCode, Words], Field(min_length=1)]
    actions: Annotated[tuple[Right, ...], AfterValidator(_once)]
    learns: Annotated[tuple[LookFact, ...], AfterValidator(_once)]
    sources: Fields = ()
    guarded: bool = False

    @model_validator(mode="after")
    def _guards(self) -> "Requester":
        if self.guarded and not (set(self.learns) <= GUARDED_FACTS and set(self.actions) <= GUARDED_ACTIONS):
            raise ValueError("a guarded requester would learn of what a shield shows in")
        return self


class Exemption(Immutable):
    """What may be withheld from whom, and the provision that allows it: everything, or looks of these kinds."""

    title: Words
    basis: Words
    requesters: Codes
    everything: bool = False
    actions: Annotated[tuple[Right, ...], AfterValidator(_once)] = ()
    purposes: Codes = ()
    roles: Codes = ()


class SubjectAccess(Immutable):
    """How somebody learns who looked at a child's record (UK GDPR Art 15), and within how many months.

    pauses: on what alone the clock stops. statement: what every reply ends with, whatever was withheld. sources: what a
    kind of source is called.
    """

    months: Annotated[int, Field(ge=1, le=3)] = 1
    pauses: dict[ShortCode, Words] = Field(default_factory=dict)
    requesters: dict[ShortCode, Requester] = Field(default_factory=dict)
    exemptions: dict[ShortCode, Exemption] = Field(default_factory=dict)
    sources: dict[ShortCode, Words] = Field(default_factory=dict)
    statement: Words = "This reply holds all that may be given to you."


class RequestKind(Immutable):
    """A right that a data subject may claim, beside access. days: within how many it is answered; None: within the
    months of access."""

    title: Words
    basis: Words
    days: Annotated[int, Field(ge=1, le=92)] | None = None


class DecisionReason(Immutable):
    """Why such a claim is decided as it is. claims: of which rights. grants: whether what was asked for is done."""

    title: Words
    basis: Words
    claims: Codes
    grants: bool = False


class Rights(Immutable):
    """What comes of a wish to have a record deleted, or the child left out of the index (UK GDPR Arts 17, 21).

    shield: what every reply offers, whoever asks and whatever is held: to look whether the record is to be shielded.
    statement: what every reply ends with.
    """

    requests: dict[ShortCode, RequestKind] = Field(default_factory=dict)
    reasons: dict[ShortCode, DecisionReason] = Field(default_factory=dict)
    shield: Words = "Say so where telling where the child is would put somebody at risk."
    statement: Words = "You may ask for this to be reviewed."


class Condition(Immutable):
    """What must hold, of an account or of the organisation its holder works for, for that account to be let in.

    Of an `authority` it is asked where somebody looks at a record that this authority is responsible for: until it
    holds, no reader opens the record.

    years: it lapses as the day begins that is so many years after the day it was met on; None: never by itself.
    roles: it is asked of accounts of these roles alone, empty: of all. voided_by: once one of these has changed, it is
    to be met anew. own_reference: what is recorded carries a number that no other account may have.
    """

    of: Literal["account", "organisation", "authority"]
    title: Words
    basis: Words
    years: Years | None = None
    roles: Codes = ()
    voided_by: Annotated[tuple[Alteration, ...], AfterValidator(_once)] = ()
    own_reference: bool = False


class OrganisationKind(Immutable):
    """What accounts people of such an organisation may hold, and whose people its account managers grant accounts to.

    Beside its own people: those of organisations of the kinds in `grants_to`, in its own area unless `everywhere`.
    accredits: whether its account managers register and accredit organisations. responsible: whether records are
    allocated to it, so that it is asked what is asked of an authority.
    """

    title: Words
    roles: Codes
    grants_to: Codes = ()
    everywhere: bool = False
    accredits: bool = False
    responsible: bool = False


class Access(Immutable):
    """On what conditions anybody is let in at all, and how such decisions are explained.

    duties: roles of which nobody holds two. made_up_years: for how long conditions hold that `init --training` makes up
    for invented people; elsewhere than in a training home they do not hold at all. reasons: why an account or an
    organisation is suspended, let in again or ended, or a condition taken back. running: for what somebody looks who
    runs the index or audits it and gives no reason: the first of these that is a purpose of theirs.
    """

    duties: Codes
    running: Annotated[Codes, Field(min_length=1)]
    made_up_years: Years
    reasons: Annotated[Codes, Field(min_length=1)]


class TwoPeople(Immutable):
    """Acts that need two people. hours: for so long what one proposed may be confirmed by another."""

    hours: Annotated[int, Field(ge=1, le=720)]


class Cause(Immutable):
    """Why somebody's looks are looked into. suspends: their account at once, for a reason. each: every look anew, not
    once a day.
    """

    title: Words
    suspends: bool = False
    reason: ShortCode = SUSPECTED
    each: bool = False


class WorkingDays(Immutable):
    """Which days, of Monday to Friday, are no working days. known_to: the last year whose bank holidays are listed."""

    bank_holidays: tuple[date, ...] = ()
    known_to: Annotated[int, Field(ge=2000, le=2200)] | None = None


class Conduct(Immutable):
    """How looks are watched. review_days: working days within which an investigation is taken up.

    window: minutes over which looks are counted. most_looks: by role, how many in a window; `otherwise` for the rest.
    pattern_after: so many searches in a row, or records opened in a window, make a pattern.
    """

    review_days: Annotated[int, Field(ge=1, le=30)]
    window: Annotated[int, Field(ge=1, le=1440)]
    most_looks: dict[ShortCode, Annotated[int, Field(ge=1)]]
    pattern_after: Annotated[int, Field(ge=3, le=50)]
    causes: dict[ShortCode, Cause]
    outcomes: Annotated[Codes, Field(min_length=1)]

    def most(self, role: str) -> int:
        """How many looks an account of this role makes in a window at most."""
        return self.most_looks.get(role, self.most_looks["otherwise"])


class Closure(Immutable):
    """The end of the whole index: from an instant on nobody is let in but whom it names, and every record is destroyed.

    at: with its offset from UTC. destroy_months: within so many months of that day every record is destroyed. may: role
    → what accounts of it may still do; a role that is not named may do nothing.
    """

    at: AwareDatetime
    destroy_months: Annotated[int, Field(ge=1, le=24)]
    may: Annotated[dict[ShortCode, Annotated[tuple[Right, ...], AfterValidator(_once)]], Field(min_length=1)]


class SigningIn(Immutable):
    """For how long somebody is signed in, and what it takes.

    idle_minutes: without a command; most_minutes: in all. step_up_minutes: for so long after a second factor was given
    somebody may look behind a shield or be one of two people. enrolment_hours: for so long the holder of an account may
    register an authenticator. waits: seconds to the next try after the first failure, the second and so on.
    most_failures: after so many in a row nobody tries again but on a known device, before an account manager has acted.
    device_days: for so long a device is known. password: the shortest there may be, in characters.
    mediation_minutes: for so long a caller's word is good; None: nobody looks on a caller's behalf.
    by_turns_minutes: nobody uses a session, another and the first again within these; None: that is not looked at.
    """

    idle_minutes: Annotated[int, Field(ge=1, le=24 * 60)]
    most_minutes: Annotated[int, Field(ge=1, le=24 * 60)]
    step_up_minutes: Annotated[int, Field(ge=1, le=60)]
    enrolment_hours: Annotated[int, Field(ge=1, le=14 * 24)]
    waits: Annotated[tuple[Annotated[int, Field(ge=0, le=86_400)], ...], Field(min_length=1, max_length=40)]
    most_failures: Annotated[int, Field(ge=1, le=100)]
    device_days: Annotated[int, Field(ge=1, le=366)]
    password: Annotated[int, Field(ge=8, le=64)]
    mediation_minutes: Annotated[int, Field(ge=1, le=60)] | None = None
    by_turns_minutes: Annotated[int, Field(ge=1, le=60)] | None = None


Standing: TypeAlias = Literal["law", "said", "inferred", "recalled", "unknown"]
"""What a rule rests on: an act or instrument that was read; what a minister, a regulator or guidance said; reasoning
from those; what is remembered and was not read; or nothing that was found, so that it is a choice."""


class Because(Immutable):
    """Where a rule comes from. A rule that is recalled or unknown is a setting: to be checked, or chosen."""

    standing: Standing
    source: Words


class RuleSet(Immutable):
    """The rules in force from `valid_from` to the day before `valid_to` (None: until replaced)."""

    id: ShortCode
    title: Words
    valid_from: date
    valid_to: date | None = None
    ages: Ages
    periods: Periods
    extension: Extension
    coverage: Coverage
    shield: Shield
    holds: Holds = Holds()
    erasure: Erasure = Erasure()
    review: Review = Review()
    identity: Identity = Identity()
    sensitive: Sensitive
    concern: Concern = Concern()
    brokering: Brokering | None = None
    identifiers: dict[ShortCode, tuple[BodyCode, ...]]
    bodies: dict[ShortCode, BodyCode] = Field(default_factory=dict)
    """Kind of source → the body that answers for it, where it is one for the whole kind."""
    functions_of_identifiers: dict[ShortCode, Codes] = Field(default_factory=dict)
    """Scheme → the reasons for looking that are the functions its numbers are allocated for; not named: any reason."""
    fields: Sights
    fields_of_hit: HitSights
    purposes: dict[ShortCode, Purpose]
    roles: dict[ShortCode, Role]
    access: Access
    two_people: TwoPeople
    working_days: WorkingDays = WorkingDays()
    conduct: Conduct
    signing_in: SigningIn
    conditions: Annotated[dict[ConditionCode, Condition], Field(min_length=1)]
    """In the order in which they are looked at."""
    organisations: dict[ShortCode, OrganisationKind]
    hand_over: dict[ShortCode, Purpose] = Field(default_factory=dict)
    """The grounds on which facts are handed over to somebody who has no account, each with what makes it lawful."""
    subject_access: SubjectAccess = SubjectAccess()
    rights: Rights = Rights()
    closure: Closure | None = None
    """That the whole index is closed; None: it is not."""
    signals: dict[ShortCode, SignalKind] = Field(default_factory=dict)
    """Stored name of an event → what subscribers are told of it. An event that is not named here publishes nothing."""
    because: dict[RulePath, Because] = Field(default_factory=dict)
    """A rule's place in the file, such as `ages.archive` → where it comes from; also for all that lies below it."""

    def reason(self, place: str) -> Because | None:
        """Where a rule comes from, by its place or that of what it is part of; None where the file does not say."""
        parts = place.split(".")
        for length in range(len(parts), 0, -1):
            found = self.because.get(".".join(parts[:length]))
            if found is not None:
                return found
        return None

    def role_may(self, role: str, right: str) -> bool:
        """Whether accounts of this role hold this right. A role the rules do not know holds none."""
        return role in self.roles and right in self.roles[role].may

    def role_sees(self, role: str, sight: RoleSight) -> bool:
        """Whether accounts of this role may ever see a record in this way."""
        return role in self.roles and sight in self.roles[role].sights

    def in_force(self, day: date) -> bool:
        """Whether these rules are in force on a day."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    @model_validator(mode="after")
    def _coherent(self) -> "RuleSet":
        if self.valid_to is not None and self.valid_to <= self.valid_from:
            raise ValueError("valid_to is not after valid_from")
        if self.ages.extension < self.ages.archive:
            raise ValueError("ages.extension is below ages.archive")
        for shown in (self.fields.shielded, self.fields_of_hit.shielded):
            beyond = set(shown) - SHIELD_CEILING
            if beyond:
                raise ValueError(f"a shielded record may never show {', '.join(sorted(beyond))}")
            if "shielded" not in shown:
                raise ValueError("a shielded record must say that it is shielded")
        for name, role in self.roles.items():
            unknown = set(role.purposes) - set(self.purposes)
            if unknown:
                raise ValueError(
                    f"roles.{name} names a purpose that is not there: {', '.join(sorted(unknown))}"
                )
            if "override" in role.sights and "override" not in role.may:
                raise ValueError(f"roles.{name} sees behind a shield without the right to")
            if GRANTING & set(role.may) and (role.sights or set(role.may) - GRANTING):
                raise ValueError(f"roles.{name} says who may look, and may do other things too")
        if not set(CAUSES) <= set(self.conduct.causes):
            raise ValueError(f"conduct.causes lacks one of {', '.join(CAUSES)}")
        if not {*OWN_REASONS, *(one.reason for one in self.conduct.causes.values())} <= set(
            self.access.reasons
        ):
            raise ValueError(f"access.reasons lacks one of {', '.join(OWN_REASONS)}")
        if not set(self.access.running) <= set(self.purposes):
            raise ValueError("access.running names a purpose that is not there")
        if "otherwise" not in self.conduct.most_looks:
            raise ValueError("conduct.most_looks lacks otherwise")
        for scheme, functions in self.functions_of_identifiers.items():
            if not set(functions) <= set(self.purposes):
                raise ValueError(f"functions_of_identifiers.{scheme} names a purpose that is not there")
        self._roles_are_there()
        self._exemptions_are_of_what_is_there()
        self._claims_are_of_what_is_there()
        self._can_be_followed()
        self._closure_can_be_carried_out()
        self._reasons_are_of_what_is_there()
        return self

    def _can_be_followed(self) -> None:
        """Nobody could ever adopt other rules, were there no role that two people hold and may adopt rules by."""
        if not any({"policy", "two-people"} <= set(role.may) for role in self.roles.values()):
            raise ValueError("no role may adopt the rules that follow these: policy, two-people")

    def _closure_can_be_carried_out(self) -> None:
        """Nobody could destroy what is left, or adopt other rules, did no role keep the rights to."""
        if self.closure is None:
            return
        for name, rights in self.closure.may.items():
            if name not in self.roles or not set(rights) <= set(self.roles[name].may):
                raise ValueError(f"closure.may.{name} names a role or a right that is not there")
        if not any({"retention", "policy", "two-people"} <= set(one) for one in self.closure.may.values()):
            raise ValueError(
                "closure.may leaves nobody to destroy what is left: retention, policy, two-people"
            )

    def _reasons_are_of_what_is_there(self) -> None:
        for place in self.because:
            at: object = self
            for part in place.split("."):
                at = at.get(part) if isinstance(at, dict) else getattr(at, part, None)
                if at is None:
                    raise ValueError(f"because.{place} is of no rule in this file")

    def _exemptions_are_of_what_is_there(self) -> None:
        for name, one in self.subject_access.exemptions.items():
            there = (
                set(one.requesters) <= set(self.subject_access.requesters)
                and set(one.purposes) <= {*self.purposes, *self.hand_over}
                and set(one.roles) <= set(self.roles)
            )
            if not there:
                raise ValueError(f"subject_access.exemptions.{name} names what is not there")

    def _claims_are_of_what_is_there(self) -> None:
        for name, reason in self.rights.reasons.items():
            if not set(reason.claims) <= set(self.rights.requests):
                raise ValueError(f"rights.reasons.{name} names a right that is not there")

    def _roles_are_there(self) -> None:
        looks = {"conduct.most_looks": tuple(set(self.conduct.most_looks) - {"otherwise"})}
        named = {f"conditions.{name}": one.roles for name, one in self.conditions.items()}
        named |= {f"organisations.{name}": kind.roles for name, kind in self.organisations.items()}
        for where, roles in {**named, **looks, "access.duties": self.access.duties}.items():
            if not set(roles) <= set(self.roles):
                raise ValueError(f"{where} names a role that is not there")
        for name, kind in self.organisations.items():
            if not set(kind.grants_to) <= set(self.organisations):
                raise ValueError(f"organisations.{name} grants to a kind that is not there")


def parse(text: str) -> RuleSet:
    """Read a rule set from TOML.

    Raises BadInput (code `bad-rule-set`) naming the first field at fault; an unknown field is refused.
    """
    try:
        return RuleSet.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"The rule set is not TOML: {error}.", code="bad-rule-set") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise BadInput(
            f"The rule set cannot be used: {field or 'as a whole'}: {reason}.",
            code="bad-rule-set",
            field=field or None,
        ) from None


def schema() -> dict[str, Any]:
    """The form of a rule set, as JSON Schema. What goes beyond form (that a role named is there) `parse` checks."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$comment": "Made by ./dev docs from domain/rule_set/model.py. TOML dates are dates.",
        **RuleSet.model_json_schema(),
    }


def digest(text: bytes) -> str:
    """SHA-256 of a rule file, in hex: what `RuleSetAdopted` keeps of it."""
    return hashlib.sha256(text).hexdigest()
