"""Which carer of a record an adult is who asks what is held about themselves."""

from collections.abc import Callable

from domain.access.events import AdultSought
from domain.child_record.events import Carer, FullName
from domain.disclosure import RecordFacts
from ingest.matching import normalise
from ingest.matching.comparison import forenames_agree


def carer_who_is(adult: AdultSought, facts: RecordFacts) -> Carer | None:
    """The carer of this name, where something else that was given agrees: contact, address, the record's number.

    None of a record that is shielded or that its reader could not open: a name alone would tell that it is there.
    """
    if facts.shielded or not facts.opened:
        return None
    sought = _name(adult.name)
    for carer in facts.carers:
        name = normalise.person_name(carer.name)
        same = name.surname == sought.surname and (
            name.forenames == sought.forenames or forenames_agree(name.forenames, sought.forenames)
        )
        if same and _told_apart(adult, carer, facts):
            return carer
    return None


def _told_apart(adult: AdultSought, carer: Carer, facts: RecordFacts) -> bool:
    contact = carer.contact
    addresses = [getattr(facts.whereabouts, "address", None), *facts.earlier_addresses]
    return (
        (adult.number is not None and adult.number == facts.index_number)
        or (adult.postcode is not None and adult.postcode in {a.postcode for a in addresses if a is not None})
        or _agree(_digits, adult.telephone, contact.telephone if contact else None)
        or _agree(str.casefold, adult.email, contact.email if contact else None)
    )


def _agree(form: Callable[[str], str], given: str | None, held: str | None) -> bool:
    return given is not None and held is not None and form(given) == form(held)


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text)).removeprefix("44").removeprefix("0")


def _name(text: str) -> normalise.NormalName:
    *given, family = text.split()
    return normalise.person_name(FullName(given=tuple(given), family=family))
