"""How often each thing happens: the one table, which `docs/population.md` repeats and a test holds it to.

A `Share` with one figure is drawn once for each of what `of` names. A slip has a figure for each source and is drawn
for each record; a record has one slip at most, and a slip that cannot happen to a child (half of a surname that has no
hyphen) does not happen, so the figure is the share of those records to which it could.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

SOURCES: Final = ("births", "child-benefit", "pds", "school-census", "ctf", "case-management")
"""The sources in the order of the columns of `SLIPS`, by the names that `load` knows them by."""

OWN: Final = "our own choice"


@dataclass(frozen=True, slots=True)
class Share:
    """What happens, in which share of what, and who says so."""

    what: str
    of: str
    share: float
    because: str = OWN


HAPPENINGS: Final[Mapping[str, Share]] = MappingProxyType(
    {
        "twins": Share("two children of one birth", "births", 0.0145, "about as ONS, Birth characteristics"),
        "half-sibling": Share("another father, and his surname", "later births of a family", 0.14),
        "two-parents": Share("the entry names a second parent", "births", 0.95, "about as ONS, Births"),
        "mother-surname": Share("the mother's surname, not the father's", "families of two parents", 0.10),
        "hyphenated": Share("both surnames with a hyphen", "families of two parents", 0.07),
        "middle-name": Share("a second given name", "children", 0.65),
        "born-abroad": Share("no entry in the register of births", "families", 0.08),
        "moved": Share("a new home since the birth", "families", 0.30),
        "no-fixed-abode": Share("the postcode is ZZ99 3VZ", "families", 0.003),
        "restricted": Share("security R: no address, no practice", "families", 0.004),
        "adopted": Share(
            "new names, home and NHS number; the old is sent no more", "children who are no twins", 0.004,
            "about 3,000 orders a year (DfE) over childhood",
        ),
        "superseded": Share("a second NHS number, found out and replaced", "children who are no twins", 0.002),
        "left": Share("left England: the home has ended, no further source", "families", 0.02),
        "former-name": Share("PDS keeps a former name", "children who are no twins", 0.02),
        "in-child-benefit": Share("claimed for", "children", 0.90, "about as HMRC's take-up"),
        "in-pds": Share("registered with the health service", "children", 0.99),
        "in-school-census": Share("on the roll of a state school", "children of school age", 0.93, "about as DfE"),
        "in-ctf": Share("changed school and was transferred", "children of school age", 0.08),
        "in-case-management": Share("known to children's services", "children", 0.06),
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slip:
    """What a source gets wrong, and in which share of its records, in the order of `SOURCES`."""

    what: str
    shares: tuple[float, float, float, float, float, float]
    because: str = OWN


SLIPS: Final[Mapping[str, Slip]] = MappingProxyType(
    {
        "typing": Slip("a letter of a name changed, doubled or dropped", (.002, .010, .004, .012, .010, .015)),
        "sound-alike": Slip("a name as it sounds", (.000, .020, .006, .020, .020, .040)),
        "transliteration": Slip("a name in other letters", (.000, .040, .020, .060, .060, .080)),
        "nickname": Slip("what the child is called", (.000, .010, .005, .050, .040, .080)),
        "hyphen-half": Slip("half of a hyphenated surname", (.000, .080, .040, .150, .150, .150)),
        "hyphen-space": Slip("a space in place of the hyphen", (.000, .060, .040, .080, .080, .080)),
        "names-exchanged": Slip("given name and surname exchanged", (.000, .001, .001, .002, .002, .003)),
        "middle-first": Slip("the second given name alone", (.000, .004, .002, .015, .015, .020)),
        "step-surname": Slip("the surname of a step-family", (.000, .003, .004, .015, .015, .020)),
        "day-month": Slip("day and month exchanged (both at most 12)", (.000, .006, .002, .006, .006, .010)),
        "day": Slip("another day of the month", (.0005, .003, .001, .003, .003, .006)),
        "sex": Slip("the other sex", (.0005, .002, .001, .002, .002, .004)),
        "no-sex": Slip("no sex", (.002, .000, .002, .000, .000, .010)),
        "no-postcode": Slip("no postcode", (.005, .010, .005, .010, .010, .060)),
        "postcode": Slip("a wrong letter in a postcode of right shape", (.003, .010, .004, .012, .012, .020)),
        "no-number": Slip("no NHS number, or no unique pupil number", (.010, .000, .000, .000, .000, .250)),
        "no-given-name": Slip("not yet named", (.003, .000, .000, .000, .000, .000)),
        "old-home": Slip("the home before the move", (.000, .060, .040, .080, .120, .100)),
    }
)  # fmt: skip
"""Rates by source follow the measurements of synthetic linkage in so far as they tell apart; all are our own choice."""
