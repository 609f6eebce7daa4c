"""A reply to a request to know who looked, as it is printed: for whoever asked, and for the authority alone."""

from cli.output import Json


def words_of_replied(answer: Json) -> str:
    """A reply, and below it how every look was accounted for."""
    account = ", ".join(f"{code} {number}" for code, number in answer["account"].items() if number)
    return f"{words_of_reply(answer['reply'])}\n\n(For the authority alone: {account or 'nobody looked'}.)"


def words_of_reply(reply: Json) -> str:
    """A reply as the sentences that whoever asked is sent."""
    lines = [f"You asked on {reply['received_on']} who has looked at this record."]
    lines += [_sentence(look) for look in reply["looks"]] or ["There is nobody of whom we can tell you."]
    lines += [
        f"{one['from']} said what we hold as {one['what']}, on {one['since']}." for one in reply["sources"]
    ]
    return "\n".join([*lines, reply["statement"]])


def _sentence(look: Json) -> str:
    words = [f"On {look['on']}", look["who"]]
    words += [f"at {look['organisation']}"] if "organisation" in look else []
    words += ["saw this record"] + ([look["how"]] if "how" in look else [])
    words += [f"for this reason: {look['why']}"] if "why" in look else []
    words += [f"They saw {look['what']}"] if "what" in look else []
    words += [f"This happened {look['times']} times that day"] if look["times"] > 1 else []
    return _joined(words)


def _joined(words: list[str]) -> str:
    return ", ".join(words[:2]) + " " + "; ".join(words[2:]) + "."
