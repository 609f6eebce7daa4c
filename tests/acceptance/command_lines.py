"""Every command there is, typed rightly and in ways that are wrong: for tests that concern all of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

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
"""Every command there is. A new one is added here, or `test_every_command_is_tried` fails."""


def words_of(command: Command, **changed: str) -> list[str]:
    """The words after the command's name, with some options changed."""
    options = {**command.options, **changed}
    return [*command.arguments, *(word for option in options.items() for word in option)]
