"""Invented children, each unlike every other: no two share a name, a day of birth, an address or a number."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from domain.identifiers import nhs_number
from tests.acceptance.line import Line
from tests.loading import a_patient

FIRST_BIRTH: Final = date(2016, 1, 13)
_GIVEN: Final = (
    "Alba",
    "Bruno",
    "Cora",
    "Dafydd",
    "Esme",
    "Fintan",
    "Greta",
    "Hugo",
    "Iona",
    "Jarek",
    "Kezia",
    "Luca",
)
_HEADS: Final = (
    "Brack",
    "Cald",
    "Dun",
    "Fairl",
    "Gorst",
    "Hax",
    "Kettl",
    "Lorim",
    "Mord",
    "Penh",
    "Quarn",
    "Rusk",
)
_TAILS: Final = ("ington", "ewick", "aby", "odale", "umfort", "isholm", "yatt")
_LETTERS: Final = "ABDEFGHJLN"
_numbers: Final = itertools.count(1)


@dataclass(frozen=True)
class Child:
    """An invented child as its sources know it."""

    serial: int
    given: str
    family: str
    born: date
    sex: str
    nhs: str
    street: str
    postcode: str

    @property
    def name(self) -> str:
        """As it is typed into a search."""
        return f"{self.given} {self.family}"

    @property
    def gender(self) -> str:
        """As the index says it."""
        return {"F": "female", "M": "male"}[self.sex]

    @property
    def criteria(self) -> tuple[str, ...]:
        """What a practitioner types to find this child."""
        return "--name", self.name, "--dob", self.born.isoformat()

    @property
    def entry(self) -> dict[str, str]:
        """A line of a births file."""
        return {
            "entry_id": f"ACC/{self.serial}",
            "registered_on": (self.born + timedelta(days=9)).isoformat(),
            "given_names": self.given,
            "surname": self.family,
            "date_of_birth": self.born.isoformat(),
            "sex": self.sex,
            "nhs_number": self.nhs,
            "mother_given_names": "Maud",
            "mother_surname": self.family,
            "address_line_1": self.street,
            "postcode": self.postcode,
        }

    def message(self, **changed: Any) -> dict[str, Any]:
        """A message of the NHS about this child; an element given as None is left out."""
        return a_patient(
            self.nhs,
            **{
                "name": [
                    {
                        "use": "usual",
                        "period": {"start": self.born.isoformat()},
                        "given": [self.given],
                        "family": self.family,
                    }
                ],
                "gender": self.gender,
                "birthDate": self.born.isoformat(),
                "address": [self.address(self.street, self.postcode)],
                **changed,
            },
        )

    def address(self, street: str, postcode: str, since: str | None = None) -> dict[str, Any]:
        """An address as the NHS sends it."""
        return {
            "use": "home",
            "period": {"start": since or self.born.isoformat()},
            "line": [street],
            "postalCode": postcode,
        }

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `record register`."""
        return (
            "--given", self.given, "--family", self.family, "--dob", self.born.isoformat(), "--gender", self.gender,
            "--line", self.street, "--postcode", self.postcode, "--nhs-number", self.nhs,
        )  # fmt: skip


def a_child(**changed: Any) -> Child:
    """A child nobody else is like; `changed` says what matters."""
    serial = next(_numbers)
    head, tail = _HEADS[serial % len(_HEADS)], _TAILS[serial % len(_TAILS)]
    given: Mapping[str, Any] = {
        "serial": serial,
        "given": _GIVEN[serial * 5 % len(_GIVEN)],
        "family": f"{head}{tail}",
        "born": FIRST_BIRTH + timedelta(days=3 * serial % 3600),
        "sex": "FM"[serial % 2],
        "nhs": _nhs(serial),
        "street": f"{serial} {head} Row",
        "postcode": f"WF{serial // 90 % 98 + 1} {serial % 9 + 1}{_LETTERS[serial % 10]}{_LETTERS[serial // 10 % 10]}",
    }
    return Child(**{**given, **changed})


def _nhs(serial: int) -> str:
    """A number of the range that is never issued to a person; the serial is moved on where no check digit fits."""
    for nine in itertools.count(910_000_000 + 10 * serial):
        for digit in "0123456789":
            try:
                return nhs_number(f"{nine}{digit}")
            except ValueError:
                continue
    raise AssertionError


def registered(line: Line, child: Child, *options: str, acting: str = "practitioner") -> str:
    """Register a child by hand and find its id."""
    line.record("register", *child.options, *options, acting=acting)
    return id_of(line, child)


def born(line: Line, child: Child, **changed: str) -> str:
    """Load a child's birth and find its id."""
    loaded = line.births({**child.entry, **changed})
    assert loaded["registered"] == 1, loaded
    return id_of(line, child)


def id_of(line: Line, child: Child) -> str:
    """The id of a child that a practitioner finds."""
    exactly = {"given": [child.given], "family": child.family}
    results = [hit for hit in line.found(*child.criteria) if hit["name"] == exactly]
    assert len(results) == 1, f"{len(results)} found"
    return str(results[0]["child_id"])
