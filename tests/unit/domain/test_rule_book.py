"""T80: on every day from 2007 on exactly one rule set is in force, and one adopted later never reaches back."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.memory.rule_texts import MemoryRuleTexts
from adapters.rule_files import StoredRuleBook, packaged
from domain.child_record.decisions import decide
from domain.child_record.events import ChildRegistered
from domain.child_record.model import unknown
from domain.errors import NotFound, Refused, Unavailable
from domain.kernel import Change, Pending, StreamKind
from domain.policy.retention import begin_of
from domain.policy.rule_book import NOTICE, RULE_BOOK, RuleBook, adopted, founded, refuse_unless_in_force
from domain.rule_set.model import RuleSet
from tests.builders import CHILD, metadata, registers, the_book, the_rules
from tests.homes import memory_home

SETS = {name: file.rules for name, file in packaged().items()}
DIGEST = "0" * 64
AT = datetime(2027, 3, 10, 10, 0, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def another(name: str, begins: date, ends: date | None = None) -> RuleSet:
    return the_rules().model_copy(update={"id": name, "valid_from": begins, "valid_to": ends})


@given(st.dates(date(2007, 7, 31), date(2100, 1, 1)))
def test_t80_on_every_day_from_the_regulations_on_exactly_one_that_ships_is_in_force(day: date) -> None:
    (one,) = [rules for rules in SETS.values() if rules.in_force(day)]
    assert the_book().on(day).id == one.id


def test_t80_2007_2010_and_the_present_day_follow_each_other_without_a_gap() -> None:
    assert [(one.id, one.valid_from) for one in the_book().sets] == [
        ("2007", date(2007, 7, 31)),
        ("2010", date(2010, 4, 9)),
        ("present", date(2018, 5, 25)),
    ]
    ends = [one.valid_to for one in SETS.values()]
    assert ends == [date(2010, 4, 9), date(2018, 5, 25), None], "the files say so themselves"


def test_t80_a_decision_is_taken_by_the_set_of_its_own_instant_to_the_microsecond() -> None:
    book = the_book()
    for begins, before, after in ((date(2010, 4, 9), "2007", "2010"), (date(2018, 5, 25), "2010", "present")):
        midnight = begin_of(begins).astimezone(UTC)
        for at, name in ((midnight - MICROSECOND, before), (midnight, after)):
            command = registers(at=at, date_of_birth=date(2006, 1, 2))
            (registered, *_) = decide(unknown(CHILD), command, book.at(at)).events
            assert isinstance(registered, ChildRegistered)
            assert registered.rule_set == name


def test_t80_what_is_said_to_whoever_is_refused_is_in_the_words_of_the_day() -> None:
    said = {}
    for year in (2008, 2012, 2026):
        at = datetime(year, 6, 1, tzinfo=UTC)
        command = registers(at=at, date_of_birth=date(year - 2, 1, 2), owning_authority="W06000015")
        with pytest.raises(Refused) as refused:
            decide(unknown(CHILD), command, the_book().at(at))
        assert refused.value.code == "outside-area"
        said[year] = refused.value.message
    assert "ordinarily resident in England" in said[2008]
    assert said[2012] == said[2026] != said[2008]


def test_the_notice_speaks_of_services_as_the_regulations_of_its_day_do() -> None:
    notices = {name: rules.sensitive.notice for name, rules in SETS.items()}
    assert "specialist or targeted services" in notices["2007"]
    assert "additional services" in notices["2010"]
    assert notices["2010"] == notices["present"]


def test_nothing_is_decided_by_rules_of_another_day() -> None:
    at = datetime(2008, 6, 1, tzinfo=UTC)
    with pytest.raises(Unavailable) as refused:
        decide(unknown(CHILD), registers(at=at, date_of_birth=date(2006, 1, 2)), the_rules())
    assert refused.value.code == "rules-changed"
    refuse_unless_in_force(the_rules(), AT)


def test_before_the_first_set_and_after_one_that_ended_nothing_is_decided() -> None:
    book = RuleBook([another("a", date(2020, 1, 1), date(2021, 1, 1))])
    for day in (date(2019, 12, 31), date(2021, 1, 1)):
        with pytest.raises(Refused) as refused:
            book.on(day)
        assert refused.value.code == "no-rules-then"
    assert book.on(date(2020, 12, 31)).id == "a"
    with pytest.raises(NotFound):
        book.named("b")


def test_a_set_that_names_no_end_ends_where_the_next_begins() -> None:
    book = RuleBook([*SETS.values(), another("next", date(2030, 1, 1))])
    assert book.named("present").valid_to == date(2030, 1, 1)
    assert book.on(date(2029, 12, 31)).id == "present"
    assert book.on(date(2030, 1, 1)).id == "next"


@pytest.mark.parametrize(
    ("rules", "code"),
    [
        (another("present", date(2030, 1, 1)), "rule-set-in-use"),
        (another("2007", date(2030, 1, 1)), "rule-set-in-use"),
        (another("new", date(2027, 3, 10)), "retroactive"),
        (another("new", date(2015, 1, 1)), "retroactive"),
    ],
)
def test_what_was_decided_stays_decided(rules: RuleSet, code: str) -> None:
    with pytest.raises(Refused) as refused:
        adopted(the_book(), rules, DIGEST, AT)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("begins", "code"),
    [
        (date(2028, 12, 31), "rule-sets-overlap"),
        (date(2028, 1, 1), "rule-sets-overlap"),
        (date(2027, 6, 1), "rule-sets-overlap"),
        (date(2029, 1, 2), "rule-set-gap"),
        (date(2029, 1, 1), None),
    ],
)
def test_two_sets_neither_overlap_nor_leave_a_gap(begins: date, code: str | None) -> None:
    book = RuleBook([*SETS.values(), another("ends", date(2028, 1, 1), date(2029, 1, 1))])
    if code is None:
        event = adopted(book, another("new", begins), DIGEST, AT)
        assert (event.rule_set, event.valid_from, event.digest) == ("new", begins, DIGEST)
        return
    with pytest.raises(Refused) as refused:
        adopted(book, another("new", begins), DIGEST, AT)
    assert (refused.value.code, refused.value.field) == (code, "valid_from")


def test_a_set_is_adopted_before_the_last_moments_of_the_day_before() -> None:
    midnight, rules = begin_of(date(2027, 4, 1)), another("new", date(2027, 4, 1))
    assert adopted(the_book(), rules, DIGEST, midnight - NOTICE - MICROSECOND).rule_set == "new"
    for late in (NOTICE, MICROSECOND, timedelta()):
        with pytest.raises(Refused):
            adopted(the_book(), rules, DIGEST, midnight - late)


def test_the_first_sets_of_a_home_may_begin_in_the_past_and_must_follow_too() -> None:
    events = founded((rules, DIGEST) for rules in SETS.values())
    assert [event.rule_set for event in events] == list(SETS)
    for missing, code in (("2010", "rule-set-gap"), (None, "rule-sets-overlap")):
        sets = [rules for name, rules in SETS.items() if name != missing]
        if missing is None:
            sets.append(another("beside", date(2012, 1, 1), date(2013, 1, 1)))
        with pytest.raises(Refused) as refused:
            founded((rules, DIGEST) for rules in sets)
        assert refused.value.code == code


def test_a_home_decides_nothing_while_a_file_of_its_rules_is_not_what_was_adopted() -> None:
    home, texts = memory_home(), MemoryRuleTexts()
    store = home.staff()
    book = StoredRuleBook(store, texts)
    with pytest.raises(Unavailable) as refused:
        book.at(AT)
    assert refused.value.code == "no-rules"
    events = founded((file.rules, file.digest) for file in packaged().values())
    store.append([Change(RULE_BOOK, StreamKind.SYSTEM, 0, tuple(map(Pending, events)))], metadata())
    with pytest.raises(Unavailable) as refused:
        book.at(AT)
    assert refused.value.code == "rules-damaged"
    for file in packaged().values():
        texts.keep(file.text)
    assert book.at(AT) == the_rules()
    assert book.version() == 3


def test_the_log_is_read_again_once_a_legal_day_has_ended() -> None:
    home, texts = memory_home(), MemoryRuleTexts()
    store, file = home.staff(), packaged()["present"]
    for one in packaged().values():
        texts.keep(one.text)
    events = founded((one.rules, one.digest) for one in packaged().values())
    store.append([Change(RULE_BOOK, StreamKind.SYSTEM, 0, tuple(map(Pending, events)))], metadata())
    book = StoredRuleBook(store, texts)
    assert book.at(AT).id == "present"
    begins = date(2027, 3, 28)
    text = file.text.replace(b'id = "present"', b'id = "later"').replace(b"2018-05-25", str(begins).encode())
    digest = texts.keep(text).hex()
    event = adopted(book.book(), another("later", begins), digest, AT)
    store.append([Change(RULE_BOOK, StreamKind.SYSTEM, 3, (Pending(event),))], metadata())
    assert book.at(begin_of(begins) - MICROSECOND).id == "present"
    assert book.at(begin_of(begins)).id == "later"
    assert book.at(AT).id == "present", "the past stays as it was"
