"""Whether a look is one to look into: at one's own, more than the role asks for, or in a pattern unlike it.

Pure: compares what was asked and what was shown with what the holder declared and with their looks before it. Nothing
that a shield hides is compared, because nothing of it is shown.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any, Final, NamedTuple

from domain.access.events import Criteria
from domain.account.events import TiesDeclared
from domain.rule_set.model import RuleSet

OVERRIDE: Final = "override"
TOO_MANY: Final = "too-many-looks"
SESSION_SHARED: Final = "session-shared"
"""One session is used on two devices."""
USED_BY_TURNS: Final = "used-by-turns"
"""Two sessions of an account are used by turns, sooner than anybody goes from one to the other and back."""
_FAMILY, _ADDRESS, _SURNAME = "declared-family", "own-address", "own-surname"


THROTTLES: Final = frozenset({TOO_MANY, "age-check", "sequential-names", "no-involvement"})
"""Causes for which a look is refused for as long as they stand in the window."""


class Recent(NamedTuple):
    """Looks of an account within the window. searched: what it searched for, newest first; opened: how many records it
    opened; changed: how many of these it ever added anything to."""

    searched: tuple[Criteria, ...]
    opened: int
    changed: int


def own(ties: TiesDeclared | None, criteria: Criteria | None, shown: Sequence[dict[str, Any]]) -> str | None:
    """The gravest way in which somebody looked at their own, by what they asked for or were shown; None if in none."""
    if ties is None:
        return None
    names = [_words(criteria.name)] if criteria and criteria.name else []
    names += [words for record in shown for words in _names_in(record)]
    if _any_within(ties.relatives, names):
        return _FAMILY
    postcodes = {criteria.postcode} if criteria else set()
    postcodes |= {(record.get("address") or {}).get("postcode") for record in shown}
    if postcodes & set(ties.postcodes):
        return _ADDRESS
    return _SURNAME if _any_within(ties.surnames, names) else None


def pattern(recent: Recent, role: str, rules: RuleSet, *, searching: bool) -> str | None:
    """The pattern, unlike the role's work, that an account's looks within the window are in. None: in none.

    searching: whether it is about to search, or to open a record, which ends a row of searches.
    """
    least = rules.conduct.pattern_after
    searched = recent.searched[:least]
    if not searching:
        adds = rules.role_may(role, "begin-involvement")
        return "no-involvement" if adds and recent.opened >= least and not recent.changed else None
    if len(searched) == least:
        named = [" ".join(sorted(_words(one.name))) for one in searched if one.name]
        if len(named) == least and (_falls(named) or _falls(named[::-1])):
            return "sequential-names"
        if not recent.opened and all(one.name and one.date_of_birth for one in searched):
            return "age-check"
    return None


def _falls(names: Sequence[str]) -> bool:
    return all(one > after for one, after in pairwise(names))


def _any_within(told: Iterable[str], names: Sequence[frozenset[str]]) -> bool:
    return any(_words(one) <= words for one in told for words in names)


def _names_in(record: dict[str, Any]) -> Iterator[frozenset[str]]:
    carers = [carer.get("name") for carer in record.get("carers") or ()]
    for name in (record.get("name"), *(record.get("former_names") or ()), *carers):
        if name:
            yield _words(" ".join([*name.get("given", ()), str(name.get("family", ""))]))


def _words(text: str | None) -> frozenset[str]:
    """The words of a name without case and accents."""
    plain = unicodedata.normalize("NFKD", text or "").casefold()
    letters = "".join(
        one if one.isalpha() else " " for one in plain if not unicodedata.combining(one) and one not in "'’"
    )
    return frozenset(letters.split())
