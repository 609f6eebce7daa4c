"""What is pointed at is there: files that documents link to, commands and verbs that anything names."""

import re

from tests.architecture.repository import PACKAGES, ROOT, files, relative
from tests.architecture.test_command_line import commands

LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
COMMAND = re.compile(r"`(?:[\w./-]+/)?contactpoint((?: --?[\w-]+(?: [A-Z]+)?)*)((?: [a-z][a-z-]*)+)")
VERB = re.compile(r"\./dev ([a-z]+)")


def test_every_link_in_a_document_leads_somewhere() -> None:
    dead = [
        f"{relative(path)} → {target}"
        for path in files(".md")
        for target in LINK.findall(path.read_text("utf-8"))
        if not (path.parent / target).exists()
    ]
    assert not dead, dead


def test_every_command_that_anything_names_is_one() -> None:
    """In documents, and in messages that send their reader to a command."""
    known = set(commands())
    wrong: list[str] = []
    for path in files(".md", ".py"):
        name = relative(path)
        if not name.endswith(".md") and name.split("/")[0] not in PACKAGES:
            continue
        for _, words in COMMAND.findall(path.read_text("utf-8")):
            first, *rest = words.split()
            group = f"contactpoint {first}"
            below = {command for command in known if command.startswith(group + " ")}
            if group not in known or (below and rest and f"{group} {rest[0]}" not in below):
                wrong.append(f"{name}: contactpoint{words}")
    assert not wrong, wrong


def test_every_verb_of_dev_that_a_document_names_is_one() -> None:
    verbs = set(re.findall(r"^    ([a-z]+)\) setup", (ROOT / "dev").read_text("utf-8"), re.MULTILINE))
    named = {verb for path in files(".md") for verb in VERB.findall(path.read_text("utf-8"))}
    assert named
    assert named <= verbs
