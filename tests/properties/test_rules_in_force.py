"""T80: whatever rule sets follow each other, and whatever is done when: each decision names the set of its own day."""

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.memory.warm_records import RecentRecords
from cli.writing import Unshielded, Writing
from domain.child_record.events import SourceKind
from domain.errors import Refused
from domain.kernel import Command
from domain.policy.retention import begin_of, london_day
from domain.policy.rule_book import RuleBook
from tests.builders import a_number, asserts, involves, lifts, registers, shields, the_rules
from tests.loading import Index, a_births_file, an_entry
from tests.plugins_counts import count

BEGIN: Final = datetime(2027, 1, 1, 12, tzinfo=UTC)
FIRST: Final = date(2018, 5, 25)
SETS: Final = st.lists(st.integers(1, 300), max_size=4, unique=True)
"""After how many days another set is in force."""
GAPS: Final = st.sampled_from(
    [
        timedelta(microseconds=1),
        timedelta(hours=11),
        timedelta(hours=13),
        timedelta(days=20),
        timedelta(days=80),
    ]
)
DONE: Final = ("birth", "register", "withdraw", "near", "shield", "lift", "involve", "assert")
STEPS: Final = st.lists(st.tuples(GAPS, st.sampled_from(DONE)), min_size=1, max_size=8)


class Office:
    """Does one thing after another by the rules of a book, as the command line and the feeds do."""

    def __init__(self, book: RuleBook) -> None:
        self.index = Index(rules=book)
        self.index.home.clock.instant = BEGIN
        self.files: list[UUID] = []
        unused: Any = None
        self.writing = Writing(
            store=self.index.store,
            apply_shield=unused,
            loader=self.index.loader,
            destruction=unused,
            tokens=self.index.tokens,
            ids=self.index.ids,
            clock=self.index.home.clock,
            rules=book,
            release=unused,
            ordered_early=dict,
            sources_of=lambda _: [],
            certificates=unused,
            alone=self.index.loader.alone,  # type: ignore[arg-type]
            warm=RecentRecords(lambda: 0.0),
            unshielded=Unshielded(self.index.follower, lambda: 0.0),
            receipts=unused,
            contacts=unused,
            recipients=unused,
        )

    def do(self, what: str, number: int) -> None:
        """Do it, or be refused."""
        at = self.index.home.clock.instant
        acts: dict[str, Callable[[], object]] = {
            "birth": lambda: self._load(number),
            "register": lambda: self.index.loader.admit(
                registers(at=at, index_number=a_number(number), date_of_birth=date(2020, 1, 1 + number)),
                self.index.by(),
            ),
            "withdraw": lambda: [self.index.loader.withdraw(one, self.index.by()) for one in self.files[-1:]],
            "near": self._near,
            "shield": lambda: self._command(shields(at=at, shield=uuid4(), source_kind=SourceKind.OFFICER)),
            "lift": lambda: self._command(lifts(at=at)),
            "involve": lambda: self._command(
                involves(at=at, involvement=uuid4(), service=f"Service {number}")
            ),
            "assert": lambda: self._command(asserts(at=at, address_effective=london_day(at))),
        }
        with suppress(Refused):
            acts[what]()

    def _near(self) -> None:
        for record in self.index.records()[-1:]:
            self.index.follower.shield_provisionally(record.child_id, self.index.by())

    def _load(self, number: int) -> None:
        entry = an_entry(entry_id=f"B/{number}", date_of_birth=f"2021-02-{1 + number:02}", nhs_number="")
        self.files.append(self.index.load("births", a_births_file(entry)).file_id)

    def _command(self, command: Command) -> None:
        for record in self.index.records()[-1:]:
            self.writing.handle(record.child_id, command, self.index.by())

    def decisions(self) -> list[tuple[date, str]]:
        """The legal day and the rule set of every decision on record."""
        histories = self.index.store.load_many(self.index.streams()).values()
        events = [one for history in histories for one in history.events]
        named = [(one.recorded_at, getattr(one.event, "rule_set", None)) for one in events]
        return [(london_day(recorded_at), rules) for recorded_at, rules in named if rules]


@given(SETS, STEPS)
@settings(max_examples=count(3_000))
def test_t80_each_decision_names_the_set_in_force_on_its_own_day(
    days: list[int], steps: list[tuple[timedelta, str]]
) -> None:
    begins = {"first": FIRST} | {f"after-{n}": london_day(BEGIN) + timedelta(days=n) for n in days}
    book = RuleBook(
        the_rules().model_copy(update={"id": name, "valid_from": day}) for name, day in begins.items()
    )
    office = Office(book)
    office.do("register", 20)
    for number, (gap, what) in enumerate(steps):
        office.index.home.clock.instant += gap
        office.do(what, number)
    decisions = office.decisions()
    assert decisions
    for day, rules in decisions:
        assert rules == max((one for one in begins if begins[one] <= day), key=begins.__getitem__)


def test_the_day_is_the_legal_one_which_begins_at_midnight_in_london() -> None:
    summer = date(2027, 4, 1)
    book = RuleBook(
        the_rules().model_copy(update={"id": name, "valid_from": day})
        for name, day in (("first", FIRST), ("summer", summer))
    )
    office = Office(book)
    for before, what in ((timedelta(microseconds=1), ("register", "shield")), (timedelta(), ("lift",))):
        office.index.home.clock.instant = begin_of(summer).astimezone(UTC) - before
        for one in what:
            office.do(one, 0)
    assert [rules for _, rules in office.decisions()] == ["first", "first", "summer"]
