"""Bad input to every command: refused with a code and a remedy, nothing half done, and no value repeated anywhere.

Every bad value begins with an unmistakable token. When all is done the token is looked for in everything that was
printed and in every file under the home.
"""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
import pytest
import typer

from adapters.postgres.embedded import EmbeddedServer
from cli.main import app
from tests.acceptance.command_lines import CHILD, COMMANDS, CONTROL, LONG, TOKEN, Path_, words_of
from tests.acceptance.line import Answer, Line
from tests.acceptance.people import Child, a_child, born
from tests.loading import COLUMNS, a_births_file, ndjson

pytestmark = pytest.mark.postgres


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
