"""The part of docs/rules.md that is made from the rule sets that ship: every rule, its value in each, its source."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from domain.rule_set.model import RuleSet
from ingest.best_view import PRECEDENCE

_NOT_RULES: Final = ("id", "title", "because")
_STANDING: Final = {
    "law": "law",
    "said": "said",
    "inferred": "inferred",
    "recalled": "**recalled**: a setting",
    "unknown": "**unknown**: a setting",
}
_UNSAID: Final = "**not said**: a setting"


def page(sets: Sequence[RuleSet]) -> str:
    """Every rule of these sets, in the order in which they follow each other."""
    lines = [
        "| set | in force | what it is |",
        "|---|---|---|",
        *(
            f"| `{one.id}` | from {one.valid_from} to {one.valid_to or 'the next'} | {one.title} |"
            for one in sets
        ),
        "",
        "*law*: in an act or instrument that was read. *said*: by a minister, a regulator or guidance. *inferred*:",
        "reasoned from those. What is **recalled** was not read, what is **unknown** was looked for and not found:",
        "either is a setting, to be checked or chosen by whoever runs the index. A value is that of every set, unless",
        "it says of which.",
    ]
    flat = {one.id: dict(_leaves(_rules(one))) for one in sets}
    places = dict.fromkeys(place for leaves in flat.values() for place in leaves)
    sections = list(dict.fromkeys(map(_section, places)))
    section = None
    for place in sorted(places, key=lambda one: sections.index(_section(one))):
        begins = _section(place)
        if begins != section:
            lines += ["", f"### {begins}", "", "| rule | value | standing | source |", "|---|---|---|---|"]
            section = begins
        values = {one.id: flat[one.id].get(place, "no such rule") for one in sets}
        reasons = {one.id: _reason(one, place) for one in sets if place in flat[one.id]}
        lines.append(
            f"| `{place}` | {_told(values)} | {_told({k: v[0] for k, v in reasons.items()})} | "
            f"{_told({k: v[1] for k, v in reasons.items()})} |"
        )
    lines += [
        "",
        "### The order of sources",
        "",
        "Not in a rule set: it is in code (`ingest/best_view.py`), the same on every day. No published order was",
        "found, so it is a choice. Of each kind of fact, the sources from the highest rank down:",
        "",
        "| fact | sources |",
        "|---|---|",
        *(f"| {fact} | {', '.join(order)} |" for fact, order in PRECEDENCE.items()),
    ]
    return "\n".join(lines) + "\n"


def _rules(one: RuleSet) -> dict[str, Any]:
    """The rules of a set; that it does not close the index is none."""
    unsaid = {"closure"} if one.closure is None else set()
    return one.model_dump(mode="json", exclude={*_NOT_RULES, *unsaid})


def _section(place: str) -> str:
    return place.split(".", maxsplit=1)[0] if "." in place else "in force"


def _leaves(value: dict[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, one in value.items():
        place = f"{above}{name}"
        if isinstance(one, dict):
            yield from _leaves(one, f"{place}.")
        elif isinstance(one, list | tuple):
            yield place, ", ".join(map(str, one)) or "none"
        else:
            yield place, _words(one)


def _words(value: object) -> str:
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case _:
            return str(value)


def _reason(rules: RuleSet, place: str) -> tuple[str, str]:
    found = rules.reason(place)
    return (_UNSAID, "") if found is None else (_STANDING[found.standing], found.source)


def _told(values: dict[str, str]) -> str:
    """One value where all agree, else each with the set it is of."""
    each = dict.fromkeys(values.values())
    told = each if len(each) == 1 else (f"{name}: {value}" for name, value in values.items())
    return "; ".join(told).replace("|", "\\|")
