"""Making a home, and bringing one back from a backup."""

from collections.abc import Container, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import Final, NamedTuple
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from adapters.key_rows import KeyRow
from adapters.keys.cipher import Damage, unwrap
from adapters.keys.kek import KekFiles
from adapters.postgres.backup import applied, read_manifest, restore
from adapters.postgres.databases import Databases, Role
from adapters.postgres.embedded import EmbeddedServer
from adapters.postgres.migrate import check_format, create_embedded, migrate
from adapters.postgres.rule_texts import PostgresRuleTexts
from adapters.rule_files import StoredRuleBook, packaged
from cli.app import INDEX_ACTOR, App
from cli.bootstrap import open_app, open_databases, open_stores
from cli.output import Json
from cli.parsing import account_name
from cli.settings import Settings
from cli.stores import Stores
from domain.account.commands import IssueEnrolment, OpenAccount, RecordAccountCondition
from domain.account.handlers import change_accounts, open_account, open_first
from domain.account.model import fold as fold_account
from domain.errors import AlreadyReserved, BadInput, Refused, Unavailable, VersionConflict
from domain.identifiers import AllocatedNumber
from domain.kernel import Change, Metadata, Pending, StreamKind
from domain.organisation.commands import RecordOrganisationCondition, RegisterOrganisation
from domain.organisation.handlers import change_organisation, register
from domain.organisation.model import fold as fold_organisation
from domain.policy.access import Party
from domain.policy.retention import london_day
from domain.policy.rule_book import RULE_BOOK, founded
from domain.ports import Ids
from domain.rule_set.model import RuleSet

AREA: Final = "E06000999"
"""An authority that does not exist."""

EVERYWHERE: Final = "E92000001"
"""England, by the code of the Office for National Statistics: the area of the central office."""

_NUMBER: Final[TypeAdapter[str]] = TypeAdapter(AllocatedNumber)


class _Organisation(NamedTuple):
    name: str
    body: str
    kind: str


class FirstManager(NamedTuple):
    """Somebody who is to say who may look, and the number their employer knows them by."""

    name: str
    holder: str


class _Account(NamedTuple):
    name: str
    title: str
    role: str
    body: str


TRAINING_ORGANISATIONS: Final = (
    _Organisation("Marlbridge Community Health", "NHS", "health"),
    _Organisation("Marlbridge Primary School", "DFE9999999", "school"),
    _Organisation("Marlbridge Council", AREA, "local-authority"),
    _Organisation("Access Audit", "AUDIT", "audit"),
    _Organisation("Index Operations", "INDEX", "operator"),
    _Organisation("Index Access Office", "ACCESS", "access-office"),
)
TRAINING_ACCOUNTS: Final = (
    _Account("practitioner", "Health visitor", "practitioner", "NHS"),
    _Account("teacher", "Class teacher", "teacher", "DFE9999999"),
    _Account("social-worker", "Social worker", "social-worker", AREA),
    _Account("data-manager", "Data manager", "data-manager", AREA),
    _Account("data-manager-2", "Second data manager", "data-manager", AREA),
    _Account("mediator", "Mediator", "mediator", AREA),
    _Account("auditor", "Auditor", "auditor", "AUDIT"),
    _Account("auditor-2", "Second auditor", "auditor", "AUDIT"),
    _Account("operator", "Operator", "operator", "INDEX"),
    _Account("operator-2", "Second operator", "operator", "INDEX"),
    _Account("key-holder", "Key holder", "key-holder", "INDEX"),
    _Account("supplier", "Archive support", "supplier", "INDEX"),
    _Account("supplier-2", "Second of archive support", "supplier", "INDEX"),
    _Account("account-manager", "Account manager", "account-manager", "ACCESS"),
    _Account("account-manager-2", "Second account manager", "account-manager", "ACCESS"),
)


def initialise(
    home: Path,
    settings: Settings,
    *,
    training: bool,
    first: Sequence[FirstManager] = (),
    attest_office: bool = False,
) -> Json:
    """Make a home or bring it up to date. Safe to repeat and to run many times at once.

    first: whom to appoint as the first account managers, for the way in; attest_office: record anew what the central
    office is accredited by. Raises HomeRefused for a home of a newer version, BadInput where an ordinary home is asked
    to become one for training, or the other way round, Refused where account managers are appointed already.
    """
    new = check_format(home) is None
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if new:
        _make_key_encryption_keys(home)
    applied = prepare_databases(home, settings, training=training)
    created = new and applied > 0  # of many at once, one
    with open_stores(home, settings) as (stores, is_for_training):
        if training and not is_for_training:
            raise BadInput(
                "This home is not a training home, and cannot become one.",
                code="not-training",
                field="training",
            )
        rules = _adopt_rules(stores)
        if is_for_training:
            _make_accounts(stores, rules)
        if is_for_training and (first or attest_office):
            raise Refused(
                "A training home has account managers, and what is asked of organisations is made up.",
                code="already-appointed",
            )
        if attest_office:
            _attest_office(stores, rules)
        appointed = _appoint(stores, rules, first) if first else []
    with open_app(home, settings) as app:
        app.catch_up()  # so that the first search finds a view, and nobody in it
        enrolments = [
            _enrolment(app, one.name, account) for one, account in zip(first, appointed, strict=True)
        ]
    names = [account.name for account in TRAINING_ACCOUNTS] if is_for_training and created else []
    answer = {"home": str(home), "created": created, "training": is_for_training, "accounts": names}
    return {**answer, "enrolments": enrolments} if enrolments else answer


def first_managers(typed: Sequence[str]) -> list[FirstManager]:
    """The first account managers, from NAME=STAFF-NUMBER: nobody, or two people. Raises BadInput.

    Two, because nobody decides on themselves: each sees to what is asked of the other.
    """
    found = [FirstManager(*_parted(one)) for one in typed]
    two = len({one.name for one in found}) == len({one.holder for one in found}) == 2
    if found and not (two and len(found) == 2):
        raise BadInput(
            "Name two people, each with the option: nobody decides on themselves.",
            code="two-people-needed",
            field="first-account-manager",
        )
    return found


def _parted(typed: str) -> tuple[str, str]:
    name, _, holder = typed.partition("=")
    try:
        return account_name(name, "first-account-manager"), _NUMBER.validate_python(holder)
    except ValidationError:
        raise BadInput(
            "--first-account-manager is written NAME=STAFF-NUMBER.",
            code="bad-input",
            field="first-account-manager",
        ) from None


def _office(rules: RuleSet) -> _Organisation:
    """The office whose account managers accredit organisations."""
    kind = next(name for name, one in rules.organisations.items() if one.accredits)
    return _Organisation("Index Access Office", "ACCESS", kind)


def _attest_office(stores: Stores, rules: RuleSet) -> UUID:
    """Record that what is asked of the central office holds from today: nobody accredits their own organisation."""
    organisation_id = _organisation(stores, _office(rules))
    now = stores.clock.now()
    wanted = [
        RecordOrganisationCondition(at=now, condition=code, met_on=london_day(now))
        for code, one in rules.conditions.items()
        if one.of == "organisation"
    ]
    change_organisation(
        organisation_id, wanted, store=stores.store(Role.SERVICE), rules=rules, metadata=_metadata(stores.ids)
    )
    return organisation_id


def _appoint(stores: Stores, rules: RuleSet, first: Sequence[FirstManager]) -> list[UUID]:
    """Open the accounts of the first account managers, with what is asked of them but an authenticator."""
    office, now = _office(rules), stores.clock.now()
    role = next(name for name, one in rules.roles.items() if "account" in one.may)
    organisation_id = _organisation(stores, office)
    accounts = {
        stores.ids.new(): OpenAccount(
            at=now,
            name=one.name,
            role=role,
            organisation=organisation_id,
            body=office.body,
            area=EVERYWHERE,
            purposes=rules.roles[role].purposes,
            holder=one.holder,
        )
        for one in first
    }
    met = [
        RecordAccountCondition(at=now, condition=code, met_on=london_day(now))
        for code, one in rules.conditions.items()
        if one.of == "account" and not one.own_reference
    ]
    until = now + timedelta(hours=rules.signing_in.enrolment_hours)
    opened = open_first(
        accounts,
        [*met, IssueEnrolment(at=now, until=until)],
        store=stores.store(Role.SERVICE),
        tokens=stores.tokens(Role.SERVICE),
        rules=rules,
        metadata=_metadata(stores.ids),
    )
    _attest_office(stores, rules)
    return opened


def _enrolment(app: App, name: str, account: UUID) -> Json:
    until = app.now() + timedelta(hours=app.rules.signing_in.enrolment_hours)
    code = app.signing.issue(account, INDEX_ACTOR, until)
    return {"account": account, "name": name, "enrolment": code, "until": until}


def prepare_databases(home: Path, settings: Settings, *, training: bool) -> int:
    """The four databases, roles and tables. Returns how many migrations were missing."""
    if settings.databases is not None:
        urls = settings.databases
        databases = Databases.at(
            record=urls.record, keyring=urls.keyring, shielded=urls.shielded, views=urls.views
        )
        return migrate(databases, training=training, home=home)
    with EmbeddedServer(home) as address:
        return migrate(create_embedded(address), training=training, home=home)


def _make_key_encryption_keys(home: Path) -> None:
    (home / "kek").mkdir(mode=0o700, exist_ok=True)
    for database in ("keyring", "shielded"):
        kek = KekFiles(home / "kek", database)
        if not kek.generations():
            kek.create(1)


def _metadata(ids: Ids) -> Metadata:
    return Metadata(actor=INDEX_ACTOR, purpose="operation", correlation=ids.new())


def _adopt_rules(stores: Stores) -> RuleSet:
    """Adopt the rules that ship, all of them at once, in a home that has none; gives those in force now.

    A home that has rules keeps them: what follows is adopted by two people.
    """
    store = stores.store(Role.SERVICE)
    with closing(PostgresRuleTexts(stores.databases.record)) as texts:
        book = StoredRuleBook(store, texts)
        if not book.version():
            shipped = packaged().values()
            for one in shipped:
                texts.keep(one.text)
            events = founded((one.rules, one.digest) for one in shipped)
            with suppress(VersionConflict):  # another `init` was first, with the same
                store.append(
                    [Change(RULE_BOOK, StreamKind.SYSTEM, 0, tuple(map(Pending, events)))],
                    _metadata(stores.ids),
                    instant=stores.clock.now(),
                )
        return book.at(stores.clock.now())


def _make_accounts(stores: Stores, rules: RuleSet) -> None:
    """The organisations and accounts of a training home with every condition of access, those that are missing.

    What was suspended, ended or taken back by somebody stays as they left it: only what was never on record is made up.
    Nobody has a role that the rules in force do not know.
    """
    bodies = {
        organisation.body: _organisation(stores, organisation) for organisation in TRAINING_ORGANISATIONS
    }
    for organisation_id in bodies.values():
        _meet_organisation_conditions(stores, organisation_id, rules)
    for account in (one for one in TRAINING_ACCOUNTS if one.role in rules.roles):
        _meet_account_conditions(stores, _account(stores, account, bodies[account.body], rules), rules)


def _organisation(stores: Stores, wanted: _Organisation) -> UUID:
    store, tokens = stores.store(Role.SERVICE), stores.tokens(Role.SERVICE)
    command = RegisterOrganisation(
        at=stores.clock.now(), name=wanted.name, body=wanted.body, kind=wanted.kind
    )
    organisation_id = stores.ids.new()
    try:
        register(organisation_id, command, store=store, tokens=tokens, metadata=_metadata(stores.ids))
    except AlreadyReserved as taken:
        return taken.stream_id
    return organisation_id


def _account(stores: Stores, wanted: _Account, organisation: UUID, rules: RuleSet) -> UUID:
    command = OpenAccount(
        at=stores.clock.now(),
        name=wanted.name,
        title=wanted.title,
        role=wanted.role,
        organisation=organisation,
        body=wanted.body,
        area=AREA,
        purposes=rules.roles[wanted.role].purposes,
        may_override=rules.role_may(wanted.role, "override"),
    )
    account_id = stores.ids.new()
    try:
        open_account(
            account_id,
            command,
            store=stores.store(Role.SERVICE),
            tokens=stores.tokens(Role.SERVICE),
            rules=rules,
            metadata=_metadata(stores.ids),
        )
    except AlreadyReserved as taken:
        return taken.stream_id
    return account_id


def _meet_organisation_conditions(stores: Stores, organisation_id: UUID, rules: RuleSet) -> None:
    store = stores.store(Role.SERVICE)
    organisation = fold_organisation(store.load(organisation_id))
    now = stores.clock.now()
    wanted = [
        RecordOrganisationCondition(at=now, condition=code, met_on=london_day(now), made_up=True)
        for code in _never_met(organisation.asked(rules), organisation.conditions, rules)
    ]
    if wanted:
        change_organisation(organisation_id, wanted, store=store, rules=rules, metadata=_metadata(stores.ids))


def _meet_account_conditions(stores: Stores, account_id: UUID, rules: RuleSet) -> None:
    store = stores.store(Role.SERVICE)
    account = fold_account(store.load(account_id))
    now = stores.clock.now()
    wanted = [
        RecordAccountCondition(at=now, condition=code, met_on=london_day(now), made_up=True)
        for code in _never_met(("account",), account.conditions, rules)
    ]
    if wanted:
        change_accounts(
            [account_id],
            wanted,
            store=store,
            tokens=stores.tokens(Role.SERVICE),
            rules=rules,
            metadata=_metadata(stores.ids),
        )


def _never_met(asked: Container[str], party: Party, rules: RuleSet) -> list[str]:
    """The conditions of which nothing was ever on record, for as long as it takes part."""
    if party.ended:
        return []
    return [code for code, one in rules.conditions.items() if one.of in asked and code not in party.proofs]


def restore_home(home: Path, settings: Settings, folder: Path) -> Json:
    """Bring a backup into a home without records: rows, then every shield and certificate, then the views.

    Nothing is served before the second; a run that was cut off is finished by another with the same backup. Raises
    BadInput for a backup that is not whole, Refused for a home that holds records, Unavailable where the
    key-encryption keys are missing.
    """
    found, _ = read_manifest(folder)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for database in ("keyring", "shielded"):
        KekFiles(home / "kek", database).newest()  # looked for before anything is made
    prepare_databases(home, settings, training=found.training)
    with open_databases(home, settings) as databases:
        restore(databases, folder, lambda database, row: _opens(KekFiles(home / "kek", database), row))
        with open_stores(home, settings, restoring=True) as (stores, _):
            _adopt_rules(stores)  # a backup of an earlier version has none
        with open_app(home, settings, restoring=True) as app:
            as_of = app.upkeep.as_of()
            done = app.writing.apply_after_restore(_metadata(app.ids))
        applied(databases)
    with open_app(home, settings) as app:
        app.catch_up()
    return {
        "position": found.position,
        "access_position": found.access_position,
        "as_of": as_of,
        **done,
    }


def _opens(kek: KekFiles, row: KeyRow) -> None:
    """Raise Unavailable where a key that was brought back is wrapped under a key-encryption key that is not here."""
    try:
        unwrap(kek.of(row.generation), row.wrapped or b"", *row[:3], row.generation)
    except Damage:
        raise Unavailable(
            "The key-encryption keys in the folder `kek` of the home are not those of this backup, so nothing was "
            "brought back. Put the right ones there."
        ) from None
