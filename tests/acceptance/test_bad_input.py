"""Bad input to every command: refused with a code and a remedy, nothing half done, and no value repeated anywhere.

Every bad value begins with an unmistakable token. When all is done the token is looked for in everything that was
printed and in every file under the home.
"""

import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest
import typer

from adapters.postgres.embedded import EmbeddedServer
from cli.main import app
from tests.acceptance.line import Answer, Line
from tests.acceptance.people import Child, a_child, born
from tests.loading import COLUMNS, a_births_file, ndjson

pytestmark = pytest.mark.postgres

TOKEN = "ZQX7"
LONG = f"{TOKEN}-unmistakable " * 30
CONTROL = f"{TOKEN}\x07\x1b[31munmistakable"
NARRATIVE = f"{TOKEN} he said she was hit. Ring 07700 900123 because mum won't!"
Path_ = tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """A command as it would be typed rightly: the arguments in order, the options it needs, and who types it.

    `beside` names options that a bad value of another needs at its side to be looked at at all. `wrong` are further
    ways of typing it wrongly: words, and the code they are refused with.
    """

    arguments: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    acting: str | None = None
    second: str | None = None
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wrong: tuple[tuple[tuple[str, ...], str], ...] = ()


CHILD = "{child}"
HELD = "00000000-0000-4000-8000-000000000000"
SENSITIVE = ("--kind", "sensitive")
FULL = {"--family": "Quillby", "--dob": "2019-02-03"}
FACTS = {
    "--name-kind": ("--family", "Quillby"),
    "--given": ("--family", "Quillby"),
    "--carer-standing": ("--carer", "Ada Quillby"),
    "--return-intended": ("--address", "left-england"),
}
WRONG_FACTS = (
    (("--dob", f"31/02/2020 {TOKEN}"), "bad-input"),
    (("--dob", "2020-02-30"), "bad-input"),
    (("--dob", "3027-01-01"), "date-in-future"),
    (("--nhs-number", "9434765918"), "bad-input"),
    (("--nhs-number", "0000000000"), "bad-input"),
    (("--postcode", f"{TOKEN} 1AA"), "bad-input"),
    (("--family", NARRATIVE), "narrative"),
    (("--family", "Quillby", "--given", NARRATIVE), "narrative"),
    (("--carer", NARRATIVE), "bad-input"),
    (("--carer", f"{TOKEN} wasn't there"), "narrative"),
    (("--line", f"{TOKEN} flat where he has been seen? www.example.org"), "narrative"),
    (("--school", NARRATIVE), "narrative"),
    (("--practice", NARRATIVE), "narrative"),
    (("--identifier", f"{TOKEN}"), "bad-input"),
    (("--identifier", f"upn:{TOKEN}:x:y"), "bad-input"),
    (("--gender", TOKEN), "bad-input"),
    (("--given", TOKEN), "bad-input"),
)
BAD_CHILD = (
    ((TOKEN,), "bad-input"),
    (("00000000-0000-4000-8000-00000000000Z",), "bad-input"),
    (("0" * 10 + "1",), "bad-input"),
)

COMMANDS: dict[Path_, Command] = {
    ("account", "add-key"): Command(("teacher",), {"--key": "{births}"}, wrong=(
        (("teacher", "--key", "{births}"), "not-a-key"),
        (("teacher", "--key", "{folder}"), "no-file"),
        (("teacher", "--key", TOKEN), "no-file"),
    )),
    ("account", "bind"): Command(
        ("teacher",),
        {"--subject": "248289761001", "--issuer": "https://sign-in.example.org"},
        wrong=(
            (("teacher", "--subject", "248289761001"), "no-provider"),
            (("teacher", "--subject", "", "--issuer", "https://sign-in.example.org"), "bad-input"),
            (("teacher", "--subject", f"{TOKEN} x", "--issuer", "https://sign-in.example.org"), "bad-input"),
            (("teacher", "--subject", "1", "--issuer", f"https://sign-in.example.org?{TOKEN}"), "bad-input"),
            (("account-manager", "--subject", "1", "--issuer", "https://sign-in.example.org"), "own-account"),
        ),
    ),
    ("account", "revoke-key"): Command(("teacher", "x" * 43), {"--reason": "left"}, wrong=(
        (("teacher", "x" * 43, "--reason", "left"), "not-found"),
        (("teacher", "x" * 43, "--reason", "dislike"), "unknown-reason"),
        (("teacher", f"{TOKEN}?", "--reason", "left"), "bad-input"),
    )),
    ("account", "unbind"): Command(("teacher",), {"--reason": "left"}, wrong=(
        (("teacher", "--reason", "dislike"), "unknown-reason"),
        ((f"{TOKEN}-nobody", "--reason", "left"), "not-found"),
    )),
    ("account", "assign-role"): Command(("teacher",), {"--role": "reader"}, wrong=(
        (("teacher", "--role", TOKEN), "bad-input"),
        (("teacher", "--role", "minister"), "role-not-open"),
        (("teacher", "--role", "reader", "--purpose", "audit"), "unknown-purpose"),
        (("teacher", "--role", "reader", "--override"), "no-override"),
    )),
    ("account", "condition"): Command(("teacher", "check"), wrong=(
        (("teacher", TOKEN), "bad-input"),
        (("teacher", "luck"), "unknown-condition"),
        (("teacher", "accreditation"), "unknown-condition"),
        (("teacher", "check", "--on", "2999-01-01"), "date-in-future"),
        (("teacher", "check", "--on", "2024-03-10"), "lapsed-already"),
        (("teacher", "check", "--on", TOKEN), "bad-input"),
        (("teacher", "check", "--on", "2027-03-01", "--ends", "2027-03-01"), "dates-out-of-order"),
        (("teacher", "authenticator"), "no-reference"),
        (("teacher", "check", "--reference", f"{TOKEN}?"), "bad-input"),
    )),
    ("account", "authenticator"): Command(("teacher",), wrong=(
        ((f"{TOKEN}-nobody",), "not-found"),
        (("account-manager",), "own-account"),
    )),
    ("account", "token"): Command(("teacher",), wrong=(((f"{TOKEN}-nobody",), "not-found"),)),
    ("account", "end"): Command(("nobody-yet",), {"--reason": "left"}, wrong=(
        (("teacher", "--reason", "dislike"), "unknown-reason"),
        ((f"{TOKEN}-nobody", "--reason", "left"), "not-found"),
    )),
    ("account", "grant"): Command(
        ("newcomer",),
        {"--role": "practitioner", "--organisation": "NHS", "--holder": "4711"},
        wrong=(
            ((TOKEN, "--role", "practitioner", "--organisation", "NHS", "--holder", "1"), "bad-input"),
            (("teacher", "--role", "practitioner", "--organisation", "NHS", "--holder", "1"), "name-taken"),
            (("n", "--role", "minister", "--organisation", "NHS", "--holder", "1"), "role-not-open"),
            (("n", "--role", "auditor", "--organisation", "NHS", "--holder", "1"), "role-not-open"),
            (("n", "--role", "practitioner", "--organisation", TOKEN, "--holder", "1"), "no-such-organisation"),
            (("n", "--role", "practitioner", "--organisation", "NHS", "--holder", f"{TOKEN}?"), "bad-input"),
            (
                ("n", "--role", "reader", "--organisation", "NHS", "--holder", "1", "--purpose", "audit"),
                "unknown-purpose",
            ),
            (("n", "--role", "reader", "--organisation", "NHS", "--holder", "1", "--override"), "no-override"),
            (("n", "--role", "reader", "--organisation", "NHS", "--holder", "1", "--title", NARRATIVE), "narrative"),
        ),
    ),
    ("account", "list"): Command(wrong=((("--limit", "0"), "usage"),)),
    ("account", "reinstate"): Command(("teacher",), {"--reason": "investigation-ended"}, wrong=(
        (("teacher", "--reason", "dislike"), "unknown-reason"),
        ((f"{TOKEN}-nobody", "--reason", "left"), "not-found"),
    )),
    ("account", "show"): Command(("auditor",)),
    ("account", "suspend"): Command(("nobody-yet",), {"--reason": "left"}, wrong=(
        (("teacher", "--reason", "dislike"), "unknown-reason"),
        (("teacher", f"{TOKEN}-nobody", "--reason", "left"), "not-found"),
        (("account-manager", "--reason", "left"), "own-account"),
    )),
    ("account", "withdraw-condition"): Command(("nobody-yet", "check"), {"--reason": "left"}, wrong=(
        (("teacher", "luck", "--reason", "left"), "unknown-condition"),
        (("teacher", "check", "--reason", "dislike"), "unknown-reason"),
    )),
    ("account", "declare"): Command(("teacher",), wrong=(
        (("teacher", "--surname", NARRATIVE), "narrative"),
        (("teacher", "--relative", NARRATIVE), "narrative"),
        (("teacher", "--postcode", f"{TOKEN} 1AA"), "bad-input"),
        ((f"{TOKEN}-nobody",), "not-found"),
    )),
    ("account", "line-manager"): Command(("teacher", "4712"), wrong=(
        (("teacher", f"{TOKEN}?"), "bad-input"),
        ((f"{TOKEN}-nobody", "1"), "not-found"),
    )),
    ("audit", "changes"): Command((CHILD,), wrong=(
        ((CHILD, "--since", TOKEN), "bad-input"),
        ((CHILD, "--after", TOKEN), "bad-input"),
        ((CHILD, "--after", "2027-03-10"), "bad-input"),
        ((CHILD, "--by", f"{TOKEN}-nobody"), "not-found"),
        ((CHILD, "--event", f"{TOKEN}?"), "bad-input"),
        ((CHILD, "--csv", "{file}"), "file-exists"),
    )),
    ("audit", "fhir"): Command(("{new}",), wrong=(
        (("{file}",), "file-exists"),
        (("{new}", "--child", TOKEN), "bad-input"),
        (("{new}", "--account", f"{TOKEN}-nobody"), "not-found"),
        (("{new}", "--child", CHILD, "--account", "teacher"), "usage"),
        (("{new}", "--since", TOKEN), "bad-input"),
    )),
    ("audit", "refusals"): Command(wrong=(
        (("--since", TOKEN), "bad-input"),
        (("--until", "2027-02-30"), "bad-input"),
        (("--limit", "0"), "usage"),
    )),
    ("audit", "export"): Command(
        (CHILD, "{new}"),
        wrong=(
            ((CHILD, "{births}"), "file-exists"),
            ((CHILD, f"/nowhere/{TOKEN}"), "no-such-file"),
            ((CHILD, "{new}", "--since", f"/nowhere/{TOKEN}"), "no-such-file"),
            ((CHILD, "{new}", "--since", "{births}"), "not-a-checkpoint"),
            ((TOKEN, "{new}"), "bad-input"),
        ),
    ),
    ("audit", "proof"): Command(
        (HELD, "{new}"), wrong=(((TOKEN, "{new}"), "bad-input"), ((HELD, "{new}"), "not-found"))
    ),
    ("audit", "verify"): Command(wrong=((("--every", "0"), "usage"),)),
    ("audit", "replay"): Command(("00000000-0000-4000-8000-000000000000",), wrong=(((TOKEN,), "bad-input"),)),
    ("audit", "what-saw"): Command(("teacher",), wrong=(
        (("teacher", "--child", TOKEN), "bad-input"),
        (("teacher", "--until", "2027-02-30"), "bad-input"),
        (("teacher", "--action", f"{TOKEN}?"), "bad-input"),
        (("teacher", "--after", "a/b"), "bad-input"),
    )),
    ("audit", "what-would"): Command((HELD,), {"--policy": "present"}, wrong=(
        ((TOKEN, "--policy", "present"), "bad-input"),
        ((HELD, "--policy", TOKEN), "no-such-policy"),
        ((HELD, "--policy", "{births}"), "bad-rule-set"),
        ((HELD, "--policy", "{folder}"), "no-such-policy"),
        ((HELD, "--policy", "present"), "not-found"),
    )),
    ("audit", "who-saw"): Command((CHILD,), wrong=(
        ((CHILD, "--outcome", TOKEN), "bad-input"),
        ((CHILD, "--outcome", "maybe"), "bad-input"),
        ((CHILD, "--organisation", f"{TOKEN}?"), "bad-input"),
        ((CHILD, "--after", "2027-03-10T10:00:00/0"), "bad-input"),
        ((CHILD, "--csv", "{file}"), "file-exists"),
        ((CHILD, "--limit", "2001"), "usage"),
    )),
    ("backup",): Command(("{folder}",), wrong=((("{full}",), "not-empty"), (("{file}",), "no-folder"))),
    ("bench", "append"): Command(wrong=((("--writers", "0"), "usage"), (("--writers", TOKEN), "usage"))),
    ("bench", "bulk"): Command(wrong=((("--events", "-1"), "usage"), (("--seconds", TOKEN), "usage"))),
    ("bench", "match"): Command(wrong=((("--children", "99"), "usage"), (("--records", TOKEN), "usage"))),
    ("bench", "publish"): Command(wrong=((("--events", "0"), "usage"), (("--seconds", TOKEN), "usage"))),
    ("bench", "rebuild"): Command(wrong=((("--events", "0"), "usage"), (("--events", TOKEN), "usage"))),
    ("bench", "search"): Command(wrong=((("--children", "0"), "usage"), (("--clients", TOKEN), "usage"))),
    ("bench", "seal"): Command(wrong=((("--events", "0"), "usage"), (("--seconds", TOKEN), "usage"))),
    ("demo",): Command(),
    **{
        path: Command(("teacher",), wrong=(((f"{TOKEN}?",), "bad-input"), (("teacher",), "no-terminal")))
        for path in (("enrol", "begin"), ("enrol", "complete"))
    },
    ("sign-in",): Command(("teacher",), wrong=(
        ((f"{TOKEN}?",), "bad-input"),
        (("teacher",), "no-terminal"),
        ((), "usage"),
        (("--device",), "usage"),
        (("--oidc",), "no-provider"),
        (("--client", f"{TOKEN}?", "--key", "{births}"), "bad-input"),
        (("--client", "teacher", "--key", "{births}"), "key-exposed"),
        (("--client", "teacher", "--key", TOKEN), "no-file"),
        (("--assertion", "{folder}"), "no-file"),
        (("--assertion", "{births}"), "sign-in-refused"),
    )),
    ("open-archive",): Command(
        (CHILD,), {"--reason": "section-47", "--reference": "S47/2041"}, "supplier", "supplier-2", wrong=(
            ((CHILD, "--reason", "section-47", "--reference", CONTROL), "bad-input"),
            ((CHILD, "--reason", "casework", "--reference", "S47/2041"), "reason-not-yours"),
        )
    ),
    ("hand-over",): Command(
        (CHILD,),
        {"--ground": "crime", "--to": "County Police", "--field": "address"},
        "data-manager",
        wrong=(
            (
                (CHILD, "--ground", "hunch", "--to", "County Police", "--field", "address"),
                "unknown-ground",
            ),
            ((CHILD, "--ground", "crime", "--to", NARRATIVE, "--field", "address"), "narrative"),
            ((CHILD, "--ground", "crime", "--to", "County Police", "--field", TOKEN), "bad-input"),
            ((CHILD, "--ground", "crime", "--to", "County Police", "--field", "withheld"), "unknown-field"),
            ((CHILD, "--ground", "crime", "--to", "County Police"), "usage"),
            ((TOKEN, "--ground", "crime", "--to", "County Police", "--field", "address"), "bad-input"),
        ),
    ),
    ("health",): Command(),
    ("init",): Command(wrong=(
        (("--first-account-manager", TOKEN), "bad-input"),
        (("--first-account-manager", f"{TOKEN}?=1"), "bad-input"),
        (("--first-account-manager", "ada=1"), "two-people-needed"),
        (("--first-account-manager", "ada=1", "--first-account-manager", "bertha=2"), "already-appointed"),
    )),
    ("kafka",): Command(),
    ("keys", "rotate"): Command(acting="key-holder"),
    ("keys", "sweep"): Command(acting="key-holder"),
    ("maintain",): Command(acting="operator"),
    ("load",): Command(
        ("births", "{births}"),
        wrong=(
            (("births",), "usage"),
            ((TOKEN, "{births}"), "usage"),
            (("births", "{folder}"), "no-such-file"),
            (("births", f"/nowhere/{TOKEN}"), "no-such-file"),
            (("births", "--withdraw", TOKEN), "bad-input"),
            (("births", "--withdraw", "00000000-0000-4000-8000-000000000000"), "not-found"),
            (("births", "{births}", "--withdraw", "00000000-0000-4000-8000-000000000000"), "usage"),
        ),
    ),
    ("organisation", "alter"): Command(("NOBODY",), {"--what": "ownership"}, wrong=(
        (("NHS", "--what", TOKEN), "bad-input"),
        (("NHS", "--what", "name"), "usage"),
        (("NHS", "--what", "purpose", "--name", "Anything"), "usage"),
        (("NHS", "--what", "name", "--name", f"{TOKEN} they said it was"), "narrative"),
        (("ACCESS", "--what", "ownership"), "own-organisation"),
    )),
    ("organisation", "condition"): Command(("NHS", "security-attestation"), wrong=(
        (("NHS", TOKEN), "bad-input"),
        (("NHS", "check"), "unknown-condition"),
        (("NHS", "accreditation", "--on", "2999-01-01"), "date-in-future"),
        (("NHS", "security-attestation", "--on", "2026-03-10"), "lapsed-already"),
        ((TOKEN, "accreditation"), "not-found"),
    )),
    ("organisation", "end"): Command(("NOBODY",), {"--reason": "left"}, wrong=(
        (("NHS", "--reason", "dislike"), "unknown-reason"),
    )),
    ("organisation", "list"): Command(wrong=((("--limit", "0"), "usage"),)),
    ("organisation", "register"): Command(
        ("NEWBODY",),
        {"--name": "Somebody", "--kind": "health"},
        wrong=(
            (("NHS", "--name", "Another", "--kind", "health"), "already-registered"),
            (("NEWBODY", "--name", "Another", "--kind", "circus"), "unknown-kind"),
            (("NEWBODY", "--name", f"{TOKEN} they said it was", "--kind", "health"), "narrative"),
            ((f"{TOKEN}?", "--name", "Another", "--kind", "health"), "bad-input"),
        ),
    ),
    ("organisation", "reinstate"): Command(("NHS",), {"--reason": "investigation-ended"}, wrong=(
        (("NHS", "--reason", "dislike"), "unknown-reason"),
    )),
    ("organisation", "show"): Command(("NHS",), wrong=(((TOKEN,), "not-found"),)),
    ("organisation", "suspend"): Command(("NOBODY",), {"--reason": "left"}, wrong=(
        (("NHS", "--reason", "dislike"), "unknown-reason"),
    )),
    ("organisation", "withdraw-condition"): Command(("NOBODY", "accreditation"), {"--reason": "left"}, wrong=(
        (("NHS", "luck", "--reason", "left"), "unknown-condition"),
        (("NHS", "accreditation", "--reason", "dislike"), "unknown-reason"),
    )),
    ("policy", "adopt"): Command(("{births}",), {}, "operator", "operator-2", wrong=(
        (("{births}",), "bad-rule-set"),
        (("{folder}",), "no-such-policy"),
    )),
    ("policy", "list"): Command(),
    ("policy", "rehearse"): Command(("{births}",), {}, "operator", wrong=(
        (("{births}",), "bad-rule-set"),
        (("{folder}",), "no-such-policy"),
    )),
    ("population",): Command(
        ("{folder}",),
        {"--children": "1", "--seed": "1"},
        wrong=(
            (("{births}", "--children", "1", "--seed", "1"), "not-a-folder"),
            (("{folder}", "--children", "0", "--seed", "1"), "usage"),
            (("{folder}", "--children", "1", "--seed", "-1"), "usage"),
        ),
    ),
    **{
        ("projection", verb): Command(("practitioner_view",), wrong=(((TOKEN,), "not-found"),))
        for verb in ("compare", "pause", "rebuild", "resume", "rollback", "switch")
    },
    ("projection", "list"): Command(),
    ("projection", "run"): Command(),
    ("projection", "status"): Command(),
    ("investigation", "close"): Command((HELD,), {"--outcome": "no-misuse"}, "auditor", wrong=(
        ((TOKEN, "--outcome", "no-misuse"), "bad-input"),
        ((HELD, "--outcome", "no-misuse"), "not-found"),
    )),
    ("investigation", "list"): Command(acting="auditor", wrong=((("--limit", "0"), "usage"),)),
    ("investigation", "notices"): Command(acting="practitioner", wrong=((("--limit", "0"), "usage"),)),
    ("investigation", "show"): Command((HELD,), acting="auditor", wrong=(
        ((TOKEN,), "bad-input"),
        ((HELD,), "not-found"),
    )),
    ("investigation", "take"): Command((HELD,), acting="auditor", wrong=(
        ((TOKEN,), "bad-input"),
        ((HELD,), "not-found"),
    )),
    ("proposal", "confirm"): Command((HELD,), {"--digest": "0f" * 32}, "data-manager", wrong=(
        ((TOKEN, "--digest", "0f" * 32), "bad-input"),
        ((HELD, "--digest", TOKEN), "bad-input"),
        ((HELD, "--digest", "0f" * 31), "bad-input"),
        ((HELD, "--digest", "0f" * 32), "not-found"),
    )),
    ("proposal", "list"): Command(acting="data-manager"),
    ("proposal", "show"): Command((HELD,), acting="data-manager", wrong=(
        ((TOKEN,), "bad-input"),
        ((HELD,), "not-found"),
    )),
    ("proposal", "withdraw"): Command((HELD,), acting="data-manager", wrong=(
        ((TOKEN,), "bad-input"),
        ((HELD,), "not-found"),
    )),
    ("queue", "decide"): Command(
        (HELD, CHILD),
        {"--reason": "documents-seen"},
        "data-manager",
        beside={"--reason": ("--not-the-same",)},
        wrong=(
            ((TOKEN, "--new", "--reason", "documents-seen"), "bad-input"),
            ((HELD, "--reason", "documents-seen"), "usage"),
            ((HELD, "--new", "--refuse", "--reason", "documents-seen"), "usage"),
            ((HELD, CHILD, "--new", "--reason", "documents-seen"), "usage"),
            ((HELD, "--same", TOKEN, "--reason", "documents-seen"), "bad-input"),
            ((HELD, "--not-the-same", TOKEN, "--reason", "documents-seen"), "bad-input"),
            ((HELD, "--new", "--reason", "documents-seen"), "not-found"),
        ),
    ),
    ("queue", "list"): Command(
        (),
        {},
        "data-manager",
        wrong=(
            (("--limit", "0"), "usage"),
            (("--after", TOKEN), "bad-input"),
            (("--after", f"2026-03-01T09:00:00Z/{TOKEN}"), "bad-input"),
        ),
    ),
    ("queue", "show"): Command((HELD,), {}, "data-manager", wrong=(((TOKEN,), "bad-input"), ((HELD,), "not-found"))),
    ("record", "accept-transfer"): Command((CHILD,), {}, "data-manager", wrong=(*BAD_CHILD, ((CHILD,), "no-transfer"))),
    ("record", "allocate"): Command((CHILD,), {"--authority": "E06000998"}, "operator", wrong=(
        ((CHILD, "--authority", f"{TOKEN}?"), "bad-input"),
        ((CHILD, "--authority", "W06000001"), "outside-area"),
    )),
    ("record", "archive"): Command((CHILD,), {"--ground": "age-18"}, "data-manager", wrong=BAD_CHILD),
    ("record", "answer-contact"): Command(
        (CHILD, "--request", HELD, "--accept"),
        {},
        "practitioner",
        wrong=(
            ((CHILD, "--request", TOKEN, "--accept"), "bad-input"),
            ((CHILD, "--request", HELD, "--accept", "--disclose", "began"), "unknown-field"),
            ((CHILD, "--request", HELD, "--decline", "--disclose", "role"), "bad-input"),
            ((CHILD, "--request", HELD, "--decline"), "no-such-request"),
        ),
    ),
    ("record", "ask-contact"): Command((CHILD,), {}, "practitioner", wrong=(
        ((CHILD, "--telephone", NARRATIVE), "bad-input"),
        ((CHILD, "--email", NARRATIVE), "bad-input"),
        ((CHILD,), "nothing-hidden"),
    )),
    ("record", "contact"): Command((CHILD, "--request", HELD), {}, "practitioner", wrong=(
        ((CHILD, "--request", TOKEN), "bad-input"),
        ((CHILD, "--request", HELD), "not-found"),
    )),
    ("record", "contact-requests"): Command((), {}, "data-manager"),
    ("record", "pass-on-contact"): Command(
        (CHILD, "--request", HELD),
        {"--service": "Play group"},
        "data-manager",
        wrong=(
            ((CHILD, "--request", TOKEN, "--service", "Play group"), "bad-input"),
            ((CHILD, "--request", HELD), "bad-input"),
            ((CHILD, "--request", HELD, "--service", "Play group"), "no-such-request"),
        ),
    ),
    ("record", "sensitive-due"): Command((), {}, "data-manager", wrong=((("--on", TOKEN), "bad-input"),)),
    ("record", "assert"): Command((CHILD,), {}, "practitioner", beside=FACTS, wrong=tuple(
        ((CHILD, *words), code) for words, code in WRONG_FACTS
    )),
    ("record", "assign-authority"): Command((CHILD,), {"--authority": "E06000998"}, "data-manager", wrong=BAD_CHILD),
    ("record", "decline-transfer"): Command((CHILD,), {}, "data-manager", wrong=(((CHILD,), "no-transfer"),)),
    ("record", "offer-transfer"): Command((CHILD,), {"--to": "E06000998"}, "data-manager", wrong=(
        ((CHILD, "--to", f"{TOKEN}?"), "bad-input"),
        ((CHILD, "--to", "E06000999"), "own-authority"),
        ((CHILD, "--to", "S12000033"), "outside-area"),
    )),
    ("record", "seal"): Command((CHILD,), {"--letter": "{new}"}, "data-manager", "data-manager-2", wrong=(
        ((TOKEN, "--letter", "{new}"), "bad-input"),
        ((CHILD, "--letter", "{births}"), "file-exists"),
        ((CHILD,), "usage"),
    )),
    ("record", "split"): Command(
        (CHILD,),
        {"--reason": "merged-in-error"},
        "data-manager",
        beside={"--to-second": ()},
        wrong=(
            ((CHILD, "--reason", "hunch"), "unknown-reason"),
            ((CHILD, "--reason", "merged-in-error"), "not-merged"),
            ((CHILD, "--reason", "merged-in-error", "--to-second", TOKEN), "usage"),
            ((CHILD, "--reason", "merged-in-error", "--to-second", "0", "--propose"), "usage"),
        ),
    ),
    ("record", "transfer"): Command((CHILD,), {}, "data-manager", wrong=(((CHILD,), "not-found"),)),
    ("record", "withdraw-transfer"): Command((CHILD,), {}, "data-manager", wrong=(((CHILD,), "no-transfer"),)),
    ("record", "consent-to-extension"): Command((CHILD,), {"--category": "care-leaver"}, "practitioner", wrong=(
        ((CHILD, "--category", "care-leaver", "--on", "2999-01-01"), "date-in-future"),
    )),
    ("record", "correct"): Command((CHILD,), {}, "data-manager", beside=FACTS, wrong=(
        ((CHILD,), "nothing-asserted"),
        *(((CHILD, *words), code) for words, code in WRONG_FACTS[:6]),
    )),
    ("record", "end-involvement"): Command((CHILD,), {"--service": "Play group"}, "practitioner", wrong=(
        ((CHILD,), "bad-input"),
        ((CHILD, "--involvement", TOKEN), "bad-input"),
        ((CHILD, "--service", "Play group", "--on", "2999-01-01"), "date-in-future"),
    )),
    ("record", "involve"): Command(
        (CHILD,),
        {"--service": "Play group", "--kind": "universal"},
        "practitioner",
        beside={
            "--consent": SENSITIVE,
            "--competent": (*SENSITIVE, "--consent", "child"),
            "--considered-by": (*SENSITIVE, "--cause"),
            "--review-on": (*SENSITIVE, "--cause", "--considered-by", "Trust"),
        },
        wrong=(
            ((CHILD, "--service", NARRATIVE, "--kind", "universal"), "narrative"),
            ((CHILD, "--service", "Play group", "--kind", TOKEN), "bad-input"),
            ((CHILD, "--service", "Play group", "--kind", "universal", "--telephone", NARRATIVE), "bad-input"),
            ((CHILD, "--service", "Play group", "--kind", "universal", "--email", NARRATIVE), "bad-input"),
            ((CHILD, "--service", "Play group", "--kind", "universal", "--role", NARRATIVE), "narrative"),
            ((CHILD, "--service", "Play group", "--kind", "universal", "--began", "2999-01-01"), "date-in-future"),
            ((CHILD, "--service", "Play group", *SENSITIVE, "--consent", "none"), "sensitive-needs-ground"),
            ((CHILD, "--service", "Play group", *SENSITIVE, "--consent", "child"), "competence-needed"),
            ((CHILD, "--service", "Play group", "--kind", "universal", "--concern"), "concern-not-held"),
        ),
    ),
    ("record", "give-consent"): Command((CHILD,), {"--service": "Play group"}, "practitioner", wrong=(
        ((CHILD,), "bad-input"),
        ((CHILD, "--service", "Play group", "--by", TOKEN), "bad-input"),
        ((CHILD, "--service", "Play group", "--on", "2999-01-01"), "date-in-future"),
    )),
    ("record", "judge-competence"): Command((CHILD, "--competent"), {"--service": "Play group"}, "practitioner", wrong=(
        ((CHILD, "--competent"), "bad-input"),
        ((CHILD, "--competent", "--service", "Play group", "--on", "2999-01-01"), "date-in-future"),
    )),
    ("record", "review-cause"): Command(
        (CHILD, "--stands", "--considered-by", "Trust"),
        {"--service": "Play group"},
        "practitioner",
        beside={"--review-on": ("--service", "Play group")},
        wrong=(
            ((CHILD, "--stands", "--considered-by", "Trust"), "bad-input"),
            ((CHILD, "--stands", "--considered-by", NARRATIVE, "--service", "Play group"), "narrative"),
            ((CHILD, "--stands", "--considered-by", "Trust", "--service", "Play group", "--review-on", "1999-01-01"),
             "dates-out-of-order"),
            ((CHILD, "--stands", "--considered-by", "Trust", "--service", "Play group", "--on", "2999-01-01"),
             "date-in-future"),
        ),
    ),
    ("record", "lift-shield"): Command((CHILD,), {}, "data-manager", "data-manager-2", wrong=(
        ((CHILD,), "no-shield"),
        ((CHILD, "--reason", "tired"), "unknown-reason"),
    )),
    ("record", "merge"): Command((CHILD, CHILD), {"--reason": "documents-seen"}, "data-manager", wrong=(
        ((CHILD, CHILD, "--reason", "hunch"), "unknown-reason"),
        ((CHILD, CHILD, "--reason", "documents-seen"), "same-record"),
        ((CHILD, TOKEN, "--reason", "documents-seen"), "bad-input"),
    )),
    ("record", "new-identity"): Command(
        ("{births}",), FULL, "data-manager", "data-manager-2", beside=FACTS,
        wrong=((("{births}",), "not-a-letter"), (("{folder}",), "not-a-letter")),
    ),
    ("record", "notify-death"): Command((CHILD,), {"--on": "2027-03-01"}, "practitioner", wrong=(
        ((CHILD, "--on", "2999-01-01"), "date-in-future"),
        ((CHILD, "--on", "1999-01-01"), "dates-out-of-order"),
        ((CHILD, "--on", TOKEN), "bad-input"),
    )),
    ("record", "request-shield"): Command(
        (CHILD,), {"--ground": "crime", "--for": "police"}, "social-worker", wrong=(
            *BAD_CHILD,
            ((CHILD, "--ground", "hunch", "--for", "police"), "unknown-ground"),
            ((CHILD, "--ground", "crime", "--for", "neighbour"), "unknown-requester"),
            ((CHILD, "--ground", "crime", "--for", "police", "--received", "2999-01-01"), "date-in-future"),
        )
    ),
    ("record", "verify-requester"): Command((CHILD,), {"--request": HELD}, "data-manager", wrong=(
        ((CHILD, "--request", HELD), "no-such-request"),
        ((CHILD, "--request", TOKEN), "bad-input"),
    )),
    ("record", "decide-shield"): Command(
        (CHILD,), {"--request": HELD, "--reason": "threat-shown", "--decision": "grant"}, "data-manager", wrong=(
            ((CHILD, "--request", HELD, "--reason", "threat-shown", "--decision", TOKEN), "bad-input"),
            ((CHILD, "--request", HELD, "--reason", "whim", "--decision", "grant"), "unknown-reason"),
            ((CHILD, "--request", HELD, "--reason", "no-threat", "--decision", "refuse"), "no-such-request"),
        )
    ),
    ("record", "review-shield"): Command((CHILD,), {}, "data-manager", wrong=(
        ((CHILD,), "no-shield"),
        ((CHILD, "--consulted", "neighbour"), "unknown-consulted"),
    )),
    ("record", "shield-requests"): Command((CHILD,), {}, "data-manager", wrong=BAD_CHILD),
    ("record", "siblings"): Command((CHILD,), {}, "data-manager", wrong=BAD_CHILD),
    ("record", "reviews-due"): Command((), {}, "data-manager", wrong=((("--on", TOKEN), "bad-input"),)),
    ("record", "overrides"): Command((), {}, "data-manager", wrong=(
        (("--since", TOKEN), "bad-input"),
        (("--until", TOKEN), "bad-input"),
    )),
    ("record", "reverse-death"): Command((CHILD,), {}, "data-manager", wrong=(((CHILD,), "no-death"),)),
    ("record", "register"): Command((), FULL, "practitioner", beside=FACTS, wrong=(
        ((), "no-name"),
        (("--family", "Quillby"), "no-date-of-birth"),
        *((("--family", "Quillby", *words), code) for words, code in WRONG_FACTS if words[0] == "--dob"),
    )),
    ("record", "shield"): Command((CHILD,), {"--ground": "crime"}, "social-worker", wrong=(
        *BAD_CHILD,
        ((CHILD, "--ground", "hunch"), "unknown-ground"),
    )),
    ("record", "withdraw-consent"): Command((CHILD,), {"--service": "Play group"}, "practitioner"),
    ("record", "withdraw-extension"): Command((CHILD,), {}, "practitioner", wrong=(((CHILD,), "no-consent"),)),
    ("stream", "publish"): Command(),
    ("stream", "replay"): Command((), {"--since": "2027-03-10T09:00:00Z"}, wrong=(
        ((), "usage"),
        (("--partition", "3"), "usage"),
        (("--partition", "12", "--from", "1"), "usage"),
        (("--from", "1"), "usage"),
        (("--from", "0", "--partition", "1"), "usage"),
        (("--partition", "1", "--from", "5", "--to", "4"), "out-of-order"),
        (("--since", TOKEN), "bad-input"),
        (("--since", "2027-03-10T09:00:00"), "bad-input"),
        (("--since", "2027-03-10T09:00:00Z", "--until", "2027-03-10T08:00:00Z"), "out-of-order"),
        (("--since", "2027-03-10T09:00:00Z", "--position", "1"), "usage"),
        (("--position", "99999999"), "not-found"),
    )),
    ("stream", "status"): Command(),
    ("stream", "tail"): Command(),
    ("restore",): Command(("{folder}",), wrong=((("{folder}",), "no-backup"), ((f"/nowhere/{TOKEN}",), "no-backup"))),
    ("retention", "closure"): Command(),
    ("retention", "due"): Command(),
    ("retention", "hold"): Command((CHILD,), {"--authority": "court-order", "--until": "2028-03-01"}, wrong=(
        *BAD_CHILD,
        ((CHILD, "--authority", TOKEN, "--until", "2028-03-01"), "bad-input"),
        ((CHILD, "--authority", "whim", "--until", "2028-03-01"), "unknown-authority"),
        ((CHILD, "--authority", "court-order", "--until", "2027-03-01"), "date-in-past"),
        ((CHILD, "--authority", "court-order", "--until", "2999-01-01"), "too-long"),
        ((CHILD, "--authority", "court-order", "--until", TOKEN), "bad-input"),
    )),
    ("retention", "destroy"): Command((CHILD,), {"--reason": "unlawful"}, "operator", "operator-2", wrong=(
        *BAD_CHILD,
        ((CHILD, "--reason", "whim"), "unknown-reason"),
    )),
    ("retention", "notices"): Command((), {}, "data-manager", wrong=((("--limit", "0"), "usage"),)),
    ("retention", "notice-sent"): Command((HELD,), {}, "data-manager", wrong=(
        ((HELD,), "not-found"),
        ((TOKEN,), "bad-input"),
        ((HELD, "--on", TOKEN), "not-found"),
    )),
    ("retention", "release-hold"): Command((CHILD,), wrong=(
        ((CHILD,), "no-hold"),
        ((CHILD, "--authority", "whim"), "unknown-authority"),
    )),
    ("retention", "run"): Command(wrong=((("--limit", "0"), "usage"),)),
    ("search",): Command((), {"--reason": "casework", "--name": "Quillby"}, "practitioner", wrong=(
        (("--reason", "casework"), "bad-input"),
        (("--reason", "casework", "--nhs-number", "9434765918"), "bad-input"),
        (("--reason", "casework", "--number", TOKEN), "bad-input"),
        (("--reason", "casework", "--postcode", TOKEN), "bad-input"),
        (("--reason", "casework", "--dob", "2020-13-01"), "bad-input"),
        (("--reason", "nosiness", "--name", "Quillby"), "reason-unknown"),
        (("--reason", "audit", "--name", "Quillby"), "reason-not-yours"),
    )),
    ("show",): Command((CHILD,), {"--reason": "casework"}, "practitioner", wrong=(
        ((CHILD,), "usage"),
        ((CHILD, "--reason", "casework", "--as-of", "2027-03-10"), "bad-input"),
        ((CHILD, "--reason", "casework", "--as-of", TOKEN), "bad-input"),
        ((CHILD, "--reason", "casework", "--effective-on", TOKEN), "bad-input"),
        ((CHILD, "--reason", "casework", "--override"), "right-not-held"),
        ((TOKEN, "--reason", "casework"), "bad-input"),
    )),
    ("seal",): Command(),
    ("session", "end"): Command((HELD,), {}, "practitioner", wrong=(((TOKEN,), "bad-input"), ((HELD,), "not-found"))),
    ("session", "let-mediator"): Command(
        ("mediator",), {}, "practitioner", wrong=(((TOKEN,), "bad-input"), (("mediator",), "session-ended"))
    ),
    ("session", "list"): Command(acting="practitioner"),
    ("session", "password"): Command(wrong=(((), "session-ended"),)),
    ("session", "step-up"): Command(wrong=(((), "session-ended"),)),
    ("sign-out",): Command(),
    ("stop",): Command(),
    ("subject-access", "adult"): Command((), {"--name": "Maud", "--postcode": "WF1 1AA"}, "data-manager", wrong=(
        (("--name", "Maud Quillby"), "not-told-apart"),
        (("--name", CONTROL, "--postcode", "WF1 1AA"), "bad-input"),
        (("--name", "Maud Quillby", "--postcode", TOKEN), "bad-input"),
        (("--name", "Maud Quillby", "--number", TOKEN), "bad-input"),
        (("--name", "Maud Quillby", "--telephone", LONG), "bad-input"),
        (("--name", "Maud Quillby", "--postcode", "WF1 1AA", "--received", TOKEN), "bad-input"),
        (("--name", "Maud Quillby", "--postcode", "WF1 1AA", "--received", "2999-01-01"), "date-in-future"),
    )),
    ("subject-access", "decide"): Command(
        (CHILD,), {"--request": HELD, "--reason": "kept-by-law"}, "data-manager", wrong=(
        ((CHILD, "--request", TOKEN, "--reason", "kept-by-law"), "bad-input"),
        ((CHILD, "--request", HELD, "--reason", TOKEN), "bad-input"),
        ((CHILD, "--request", HELD, "--reason", "whim"), "unknown-reason"),
        ((CHILD, "--request", HELD, "--reason", "kept-by-law"), "no-such-request"),
    )),
    ("subject-access", "list"): Command((CHILD,), acting="data-manager", wrong=BAD_CHILD),
    ("subject-access", "pause"): Command((CHILD,), {"--request": HELD, "--for": "identity"}, "data-manager", wrong=(
        ((CHILD, "--request", TOKEN, "--for", "identity"), "bad-input"),
        ((CHILD, "--request", HELD, "--for", "workload"), "unknown-pause"),
        ((CHILD, "--request", HELD, "--for", TOKEN), "bad-input"),
        ((CHILD, "--request", HELD, "--for", "identity", "--on", "2999-01-01"), "date-in-future"),
        ((CHILD, "--request", HELD, "--for", "identity"), "no-such-request"),
    )),
    ("subject-access", "receive"): Command((CHILD,), {"--for": "child", "--basis": "competent"}, "data-manager", wrong=(
        ((CHILD, "--for", "neighbour", "--basis", "competent"), "unknown-requester"),
        ((CHILD, "--for", "child", "--basis", "best-interests"), "unknown-basis"),
        ((CHILD, "--for", "child", "--basis", "competent", "--right", "oblivion"), "unknown-right"),
        ((CHILD, "--for", TOKEN, "--basis", "competent"), "bad-input"),
        ((CHILD, "--for", "child", "--basis", "competent", "--received", "2999-01-01"), "date-in-future"),
    )),
    ("subject-access", "reply"): Command((CHILD,), {"--request": HELD}, "data-manager", wrong=(
        ((CHILD, "--request", TOKEN), "bad-input"),
        ((CHILD, "--request", HELD, "--withhold", "crime", "--withhold-nothing"), "usage"),
        ((CHILD, "--request", HELD, "--withhold", TOKEN), "bad-input"),
        ((CHILD, "--request", HELD), "not-found"),
    )),
    ("subject-access", "resume"): Command((CHILD,), {"--request": HELD}, "data-manager", wrong=(
        ((CHILD, "--request", TOKEN), "bad-input"),
        ((CHILD, "--request", HELD, "--on", "2999-01-01"), "date-in-future"),
        ((CHILD, "--request", HELD), "no-such-request"),
    )),
    ("witness",): Command(
        ("{empty}",),
        {"--log": "{key}"},
        wrong=(
            (("{empty}",), "usage"),
            (("{births}", "--log", "{key}"), "no-folder"),
            (("{empty}", "--log", "{births}"), "bad-input"),
            (("{empty}", "--log", "{key}", "--name", f"{TOKEN} x"), "bad-input"),
            (("{empty}", "--log", "{key}", "--host", f"{TOKEN}.invalid"), "bad-input"),
            (("{empty}", "--log", "{key}", "--port", "70000"), "usage"),
        ),
    ),
}  # fmt: skip
"""Every command there is. A new one is added here, or the next test fails."""


def leaves(command: click.Command, path: Path_ = ()) -> Iterator[tuple[Path_, click.Command]]:
    """Every command under this one, with the words it is called by."""
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from leaves(below, (*path, name))
    else:
        yield path, command


TREE = dict(leaves(typer.main.get_command(app)))


def test_every_command_is_tried() -> None:
    assert set(COMMANDS) == set(TREE)


@dataclass
class Tried:
    """The home that everything is tried in, what stands for the places of a command, and all that was ever printed."""

    line: Line
    child: str
    one: Child
    folder: Path
    printed: list[str] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)

    def __call__(
        self, path: Path_, *words: str, acting: str | None = None, second: str | None = None
    ) -> Answer:
        answer = self.line(*path, *(self.filled(word) for word in words), acting=acting, second=second)
        self.printed.append(answer.printed)
        if answer.status == 1:
            self.refused[answer.code] += 1
        return answer

    def filled(self, word: str) -> str:
        """A word with the child, folder or file it stands for."""
        places = {
            "{child}": self.child,
            "{folder}": str(self.folder / "empty"),
            "{full}": str(self.folder),
            "{file}": str(self.folder / "births"),
            "{births}": str(self.folder / "births"),
            "{new}": str(self.folder / "new"),
            "{empty}": str(self.folder / "witness"),
            "{key}": str(self.line.home / "seals" / "record" / "log.pub"),
        }
        return places.get(word, word)


@pytest.fixture(scope="module")
def tried(own_server: Line, tmp_path_factory: pytest.TempPathFactory) -> Tried:
    """A training home with a server under it, so that the server's own log is among what is searched."""
    material = tmp_path_factory.mktemp("material")
    (material / "empty").mkdir()
    (material / "births").write_bytes(a_births_file(a_child().entry))
    one = a_child()
    return Tried(own_server, born(own_server, one), one, material)


def assert_refused(answer: Answer, code: str | None = None) -> None:
    """One line of JSON that holds a code and words, the status that goes with it, and nothing that was typed."""
    assert set(answer.json) == {"error"}, answer.json
    assert set(answer["error"]) <= {"code", "message", "field"}
    assert answer.status == (2 if code == "usage" else answer.status)
    assert answer.status in (1, 2), answer.json
    if code is not None:
        assert answer.code == code, answer.json
    assert answer.code not in ("internal", "error")
    assert len(answer["error"]["message"].split()) >= 4, (
        "words, for somebody who has to do something about it"
    )
    assert TOKEN not in answer.printed
    assert "Traceback" not in answer.printed


def words_of(command: Command, **changed: str) -> list[str]:
    """The words after the command's name, with some options changed."""
    options = {**command.options, **changed}
    return [*command.arguments, *(word for option in options.items() for word in option)]


TAKES_SEVERAL = {("load",), ("account", "suspend")}
"""A word too many is one more of what they take."""


@pytest.mark.parametrize("path", TREE, ids=" ".join)
def test_words_that_a_command_does_not_know(tried: Tried, path: Path_) -> None:
    command = COMMANDS[path]
    before = tried.line.heads()
    right = [tried.filled(word) for word in words_of(command)]

    for words in (
        [*right, "--zqx", TOKEN],
        [*right, f"--{TOKEN}={TOKEN}"],
        [*right, *(["x"] * 3 if path == ("load",) else []), "--json", TOKEN],
    ):
        assert_refused(tried(path, *words, acting=command.acting, second=command.second), "usage")
    if path not in TAKES_SEVERAL:
        assert_refused(tried(path, *right, TOKEN, "x", acting=command.acting), "usage")
    for parameter in TREE[path].params:
        if isinstance(parameter, click.Option) and not parameter.is_flag:
            assert_refused(tried(path, *right, parameter.opts[0], acting=command.acting), "usage")
    needed = [parameter for parameter in TREE[path].params if parameter.required]
    if needed:
        assert_refused(tried(path, acting=command.acting), "usage")
    assert tried.line.heads() == before


NO_RULE = {
    ("restore", "folder"), ("backup", "folder"), ("population", "out"),  # any text may be the name of a folder
    ("load", "files"), ("witness", "store"), ("export", "file"), ("proof", "file"),
}  # fmt: skip


def bad_values() -> Iterator[tuple[Path_, str]]:
    for path, command in TREE.items():
        for parameter in command.params:
            is_flag = isinstance(parameter, click.Option) and parameter.is_flag
            if not is_flag and path[0] != "bench" and (path[-1], parameter.name) not in NO_RULE:
                yield path, str(parameter.name)


@pytest.mark.parametrize("path", sorted({path for path, _ in bad_values()}), ids=" ".join)
def test_values_too_long_or_with_control_characters(tried: Tried, path: Path_) -> None:
    command = COMMANDS[path]
    before = tried.line.heads()[0]
    for turn, parameter in enumerate(TREE[path].params):
        if (path, str(parameter.name)) not in set(bad_values()):
            continue
        value = (LONG, CONTROL)[(turn + len(path[-1])) % 2]
        if isinstance(parameter, click.Option):
            beside = command.beside.get(parameter.opts[0], ())
            words = [*words_of(command), *beside, parameter.opts[0], value]
        else:
            place = [one.name for one in TREE[path].params if isinstance(one, click.Argument)].index(
                parameter.name
            )
            arguments = [*command.arguments]
            arguments[place] = value
            words = [*arguments, *(word for option in command.options.items() for word in option)]
        answer = tried(path, *words, acting=command.acting, second=command.second)
        assert answer.status in (1, 2), f"{parameter.name} is taken as it stands"
        assert_refused(answer)
    assert tried.line.heads()[0] == before


@pytest.mark.parametrize("path", [path for path, command in COMMANDS.items() if command.wrong], ids=" ".join)
def test_values_of_the_wrong_kind(tried: Tried, path: Path_) -> None:
    command = COMMANDS[path]
    before = tried.line.heads()[0]
    for words, code in command.wrong:
        if words[:1] not in ((CHILD,), ()) and command.arguments == (CHILD,) and path != ("show",):
            words = (*words, *(word for option in command.options.items() for word in option))  # noqa: PLW2901
        assert_refused(tried(path, *words, acting=command.acting, second=command.second), code)
    assert tried.line.heads()[0] == before


DAYS = (
    *(("audit", name) for name in ("who-saw", "what-saw", "changes", "refusals")),
    ("record", "overrides"),
    ("record", "reviews-due"),
    ("record", "sensitive-due"),
    ("retention", "due"),
)
"""Lists that are asked from a day, up to one, or both."""


@pytest.mark.parametrize("path", DAYS, ids=" ".join)
def test_days_at_either_end_of_the_calendar(tried: Tried, path: Path_) -> None:
    command = COMMANDS[path]
    options = [one.opts[0] for one in TREE[path].params if one.opts[0] in ("--since", "--until", "--on")]
    assert options
    for option in options:
        for day in ("0001-01-01", "9999-12-31"):
            answer = tried(path, *words_of(command), option, day, acting=command.acting)
            assert answer.status == 0, (option, day, answer.json)


@pytest.mark.parametrize(
    "name", [f"{TOKEN}-nobody", LONG, CONTROL, "00000000-0000-4000-8000-000000000000", "Auditor "]
)
def test_accounts_that_are_not_there(tried: Tried, name: str) -> None:
    before = tried.line.heads()
    for path, words in (
        (("search",), ("--reason", "casework", "--name", "Quillby")),
        (("show",), (CHILD, "--reason", "casework")),
        (("record", "shield"), (CHILD, "--ground", "crime")),
        (("audit", "who-saw"), (CHILD,)),
        (("retention", "run"), ()),
        (("projection", "status"), ()),
        (("load",), ("births", "{births}")),
    ):
        assert_refused(tried(path, *words, acting=name))
    assert_refused(tried(("record", "lift-shield"), CHILD, acting="data-manager", second=name))
    assert tried.line.heads() == before


@pytest.mark.parametrize(
    "path", [("search",), ("show",), ("record", "shield"), ("record", "lift-shield")], ids=" ".join
)
def test_who_acts_must_be_said(tried: Tried, path: Path_) -> None:
    before = tried.line.heads()
    refused = tried(path, *words_of(COMMANDS[path]))
    assert_refused(refused, "usage")
    assert refused["error"]["field"] == "as"
    assert tried.line.heads() == before


MAY_NOT = {
    ("subject-access", "adult"): ("practitioner", "auditor", "operator", "social-worker"),
    ("subject-access", "decide"): ("practitioner", "auditor", "operator", "social-worker"),
    ("subject-access", "list"): ("practitioner", "auditor", "operator", "social-worker"),
    ("subject-access", "receive"): ("practitioner", "auditor", "operator", "social-worker"),
    ("subject-access", "reply"): ("practitioner", "auditor", "operator", "social-worker"),
    ("record", "register"): ("auditor", "operator"),
    ("record", "assert"): ("auditor", "operator"),
    ("record", "correct"): ("teacher", "auditor", "operator"),
    ("record", "involve"): ("auditor", "operator"),
    ("record", "end-involvement"): ("auditor", "operator"),
    ("record", "withdraw-consent"): ("auditor", "operator"),
    ("record", "shield"): ("auditor", "operator"),
    ("record", "assign-authority"): ("practitioner", "teacher", "social-worker", "auditor"),
    ("record", "consent-to-extension"): ("auditor", "operator"),
    ("record", "withdraw-extension"): ("auditor", "operator"),
    ("record", "notify-death"): ("auditor", "operator"),
    ("record", "archive"): ("practitioner", "teacher", "auditor"),
    ("search",): ("auditor", "operator", "supplier"),
    ("open-archive",): ("practitioner", "social-worker", "data-manager", "auditor", "operator"),
    ("show",): ("auditor", "operator", "supplier"),
    ("audit", "refusals"): ("practitioner", "teacher", "social-worker", "data-manager", "operator"),
    ("account", "list"): ("practitioner", "teacher", "social-worker", "data-manager", "auditor", "operator"),
    ("account", "grant"): ("practitioner", "social-worker", "data-manager", "auditor", "operator"),
    ("account", "suspend"): ("practitioner", "data-manager", "auditor", "operator"),
    ("organisation", "condition"): ("practitioner", "data-manager", "auditor", "operator"),
    ("audit", "who-saw"): ("practitioner", "teacher", "social-worker", "data-manager", "operator"),
    ("audit", "what-saw"): ("practitioner", "data-manager", "operator"),
    ("audit", "changes"): ("practitioner", "teacher", "social-worker", "operator"),
    ("audit", "replay"): ("practitioner", "data-manager", "operator"),
    ("audit", "what-would"): ("practitioner", "data-manager", "operator"),
    ("audit", "fhir"): ("practitioner", "data-manager", "operator"),
    ("audit", "verify"): ("practitioner", "data-manager"),
    ("audit", "export"): ("practitioner", "data-manager", "operator"),
    ("audit", "proof"): ("practitioner", "data-manager"),
    ("load",): ("practitioner", "data-manager", "auditor"),
    ("policy", "rehearse"): ("practitioner", "data-manager", "auditor"),
    ("retention", "closure"): ("practitioner", "teacher", "social-worker"),
    ("retention", "due"): ("practitioner", "teacher", "social-worker"),
    ("retention", "run"): ("practitioner", "data-manager", "auditor"),
    ("retention", "notices"): ("practitioner", "teacher", "social-worker", "auditor"),
    ("retention", "notice-sent"): ("practitioner", "teacher", "social-worker", "auditor"),
    ("retention", "hold"): ("practitioner", "teacher", "social-worker", "auditor"),
    ("retention", "release-hold"): ("practitioner", "teacher", "social-worker", "auditor"),
    ("record", "request-shield"): ("auditor", "operator"),
    ("record", "verify-requester"): ("practitioner", "social-worker", "auditor", "operator"),
    ("record", "review-shield"): ("practitioner", "social-worker", "auditor", "operator"),
    ("record", "shield-requests"): ("practitioner", "social-worker", "operator"),
    ("record", "siblings"): ("practitioner", "social-worker", "operator"),
    ("record", "reviews-due"): ("practitioner", "social-worker", "operator"),
    ("record", "overrides"): ("practitioner", "social-worker", "operator"),
    ("record", "reverse-death"): ("practitioner", "teacher", "auditor", "operator"),
    ("projection", "status"): ("practitioner", "data-manager", "auditor"),
    ("keys", "rotate"): ("practitioner", "data-manager", "auditor", "operator", "account-manager"),
    ("keys", "sweep"): ("practitioner", "data-manager", "auditor", "operator"),
    ("maintain",): ("practitioner", "data-manager", "auditor"),
    ("backup",): ("practitioner", "data-manager", "auditor"),
}


@pytest.mark.parametrize("path", MAY_NOT, ids=" ".join)
def test_roles_that_may_not(tried: Tried, path: Path_) -> None:
    before = tried.line.heads()[0]
    options = {"--family": "Quillby"} if path in (("record", "assert"), ("record", "correct")) else {}
    for acting in MAY_NOT[path]:
        refused = tried(path, *words_of(COMMANDS[path], **options), acting=acting)
        assert_refused(refused, "right-not-held")
        assert refused.status == 1
        assert tried.one.family not in refused.printed
    assert tried.line.heads()[0] == before


ENTRY = {"entry_id": f"{TOKEN}/1", "given_names": TOKEN, "surname": f"{TOKEN}son", "registered_on": "2020-02-01",
         "date_of_birth": "2020-01-01", "sex": "F"}  # fmt: skip
FILES: dict[str, tuple[str, bytes]] = {
    "empty": ("births", b""),
    "only a mark": ("births", b"\xef\xbb\xbf"),
    "binary": ("births", bytes(range(256)) * 40 + TOKEN.encode()),
    "without a header": ("births", a_births_file(ENTRY).split(b"\n", 1)[1]),
    "header alone repeated": ("births", b"entry_id,entry_id\n" + TOKEN.encode()),
    "NUL in a line": ("births", a_births_file({**ENTRY, "surname": f"{TOKEN}\x00"})),
    "control character": ("births", a_births_file({**ENTRY, "address_line_1": f"{TOKEN}\x07"})),
    "too long a value": ("births", a_births_file({**ENTRY, "surname": LONG})),
    "a huge line": ("births", a_births_file(ENTRY).replace(b"F", TOKEN.encode() * 100_000)),
    "a line cut off": ("births", a_births_file(ENTRY)[:-40]),
    "not UTF-8": ("births", a_births_file({**ENTRY, "surname": f"{TOKEN}é"}).decode().encode("latin-1")),
    "UTF-16": ("births", a_births_file(ENTRY).decode().encode("utf-16")),
    "a stray quote": ("births", a_births_file(ENTRY).replace(TOKEN.encode(), f'"{TOKEN}'.encode(), 1)),
    "a bad date": ("births", a_births_file({**ENTRY, "date_of_birth": f"{TOKEN}"})),
    "a bad number": ("births", a_births_file({**ENTRY, "nhs_number": f"{TOKEN}"})),
    "a bad postcode": ("births", a_births_file({**ENTRY, "postcode": f"{TOKEN}"})),
    "narrative": ("births", a_births_file({**ENTRY, "given_names": "He said that, she was hit because"})),
    "a column too many": ("births", a_births_file({**ENTRY, TOKEN.lower(): "x"}, columns=(*COLUMNS, TOKEN.lower()))),
    "no message": ("pds", b""),
    "binary for messages": ("pds", bytes(range(256)) + TOKEN.encode()),
    "cut off": ("pds", ndjson({"resourceType": "Patient", "id": TOKEN})[:-9]),
    "an array": ("pds", f'["{TOKEN}"]\n'.encode()),
    "a number": ("pds", b"7\n"),
    "another resource": ("pds", ndjson({"resourceType": "Observation", "id": TOKEN})),
    "deep": ("pds", b"[" * 5000 + TOKEN.encode() + b"]" * 5000),
    "wrong types": ("pds", ndjson(a_child().message(name=TOKEN, birthDate=7))),
    "wrong types within": ("pds", ndjson(a_child().message(name=[{"family": [TOKEN], "given": 3}]))),
    "an element too many": ("pds", ndjson(a_child().message(**{TOKEN.lower(): TOKEN}))),
    "no number": ("pds", ndjson(a_child().message(identifier=[], id=TOKEN))),
    "a line separator": ("pds", ndjson(a_child().message(address=[{"line": [f"{TOKEN}\u2028x"]}]))),
    "CSV as messages": ("pds", a_births_file(ENTRY)),
    "messages as CSV": ("births", ndjson(a_child().message(id=TOKEN))),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_files_that_cannot_be_read(tried: Tried, name: str) -> None:
    kind, content = FILES[name]
    path = tried.folder / "file"
    path.write_bytes(content)
    before = tried.line.heads()[0]

    loaded = tried(("load",), kind, str(path))

    assert loaded.status == 0, loaded.json
    assert (loaded["registered"], loaded["events"], loaded["read"]) == (0, 0, loaded["refused"])
    assert loaded["refusals"]
    assert all(refusal["code"] and refusal["line"] > 0 for refusal in loaded["refusals"])
    if "too many" not in name:  # which it is must be told
        assert TOKEN.lower() not in loaded.printed.lower()
    assert tried.line.heads()[0] == before


@pytest.mark.parametrize("what", ["a file", "nothing", "a newer home", "a folder with no home"])
def test_homes_that_are_none(tried: Tried, what: str) -> None:
    home = tried.folder / what.replace(" ", "-")
    match what:
        case "a file":
            home.write_text(TOKEN)
        case "a newer home":
            shutil.copytree(tried.line.home, home, ignore=shutil.ignore_patterns("postgres"))
            for mark in home.iterdir():
                if mark.is_file():
                    mark.write_text("999\n")
        case "a folder with no home":
            home.mkdir(exist_ok=True)
            (home / "something").write_text(TOKEN)
        case _:
            pass
    for words in (
        ("health",),
        ("policy", "list"),
        ("retention", "due"),
        ("backup", str(tried.folder / "to")),
    ):
        answer = Line(home)(*words)
        tried.printed.append(answer.printed)
        assert answer.status in (1, 2, 3)
        assert answer.code not in ("internal", "error")
        assert TOKEN not in answer.printed
    assert not (home / "postgres").exists(), "looking makes nothing"


def test_without_a_command_one_line_says_so(tried: Tried) -> None:
    for words in ((), ("record",), ("audit",), (TOKEN,), ("record", TOKEN)):
        assert_refused(tried(words), "usage")


NOT_COUNTED = {
    "not-found": "nothing is there, or nothing that can be shown to who asked: no condition refused it",
    "sign-in-refused": "counted by which of it was not right",
    "session-ended": "nobody acts: there is no session",
    "already-appointed": "comes before anybody acts",
}
"""Codes that are told and are no reasons of the register of refusals, each with why."""


def test_every_refusal_that_was_told_is_counted_in_the_register_by_its_reason(tried: Tried) -> None:
    """Behind all that refuses in this module: whoever was refused, at whichever door, it can be reported."""
    assert tried.refused.total() > 200, "the other tests of this module come first"
    told = Counter({code: many for code, many in tried.refused.items() if code not in NOT_COUNTED})
    entries = tried.line.done("audit", "refusals", acting="auditor")["entries"]
    counted = Counter[str]()
    for entry in entries:
        counted[entry["reason"]] += entry["count"]
    assert not told - counted, "refused and not on record, or on record by another reason"


def test_no_value_that_was_typed_is_in_any_output_log_or_file(tried: Tried) -> None:
    """The last of this module: everything above has been tried."""
    assert len(tried.printed) > 300, "the other tests of this module come first"
    assert not [printed for printed in tried.printed if TOKEN in printed]
    with EmbeddedServer(tried.line.home), tried.line.as_superuser() as connection:
        connection.execute("CHECKPOINT")
    marks = [mark for word in (TOKEN, "unmistakable") for mark in (word.encode(), word.encode("utf-16-le"))]
    held = tried.one.family.casefold().encode()
    found, control = [], False
    for path in tried.line.home.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found += [path for mark in marks if mark in content]
            control = control or held in content.lower()
    assert found == []
    assert control, (
        "a name that is held and not hidden must be found in the views, or the search itself is broken"
    )
