"""T57. The auditor's guide, command by command as it stands there, in a home of invented people."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.acceptance.line import Line
from tests.acceptance.people import a_child, born
from tests.acceptance.test_shields import shield
from tests.architecture.repository import ROOT
from tests.fsck import program

pytestmark = [pytest.mark.postgres, pytest.mark.slow, pytest.mark.timeout(900)]

GUIDE = (ROOT / "docs/auditors-guide.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


def test_t57_every_command_of_the_guide_does_what_it_says(own_server: Line, tmp_path: Path) -> None:
    assert {language for language, _ in BLOCKS} == {"sh"}
    line, one = own_server, a_child()
    child = born(line, one)
    shielded = born(line, a_child())
    shield(line, shielded)
    access = str(line.show(child, acting="teacher")["access_id"])
    keeping, *rest = "".join(block for _, block in BLOCKS).partition("contactpoint audit verify")
    values = {"CHILD": child, "ACCOUNT": "teacher", "ACCESS": access, "SHIELDED": shielded}
    desk = tmp_path / "desk"
    desk.mkdir()
    shutil.copy(ROOT / "docs/verify/verify_evidence.py", desk)

    typed(line, desk, keeping, values)
    line.show(child, acting="practitioner")  # so that the logs have grown since a checkpoint was kept
    line.record("correct", child, "--line", "2 Other Road", "--postcode", "WF9 8YY")
    said = typed(line, desk, "".join(rest), values)

    assert said.count("Everything holds.") == 3
    assert said.count("continues the checkpoint you kept") == 2
    assert "identical to what was displayed" in said
    assert "Successfully fsck'd log" in said
    assert "opened a record" in said
    assert (desk / "look.tlog-proof").read_text("utf-8").count(child) == 0


def typed(line: Line, desk: Path, commands: str, values: dict[str, str]) -> str:
    """What a shell says to these commands, which must all succeed."""
    tools = desk.parent / "tools"
    if not tools.exists():
        tools.mkdir()
        (tools / "fsck").symlink_to(program())
    here = Path(sys.executable).parent
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CONTACTPOINT_")}
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", commands],
        cwd=desk,
        env=environ
        | values
        | {
            "CONTACTPOINT_HOME": str(line.home),
            "CONTACTPOINT_CLOCK": line.clock.isoformat(),
            "PATH": f"{here}:{tools}:{os.environ['PATH']}",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
