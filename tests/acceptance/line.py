"""The command line as a test speaks it: what is typed, what comes back, how it ended."""

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from cli.main import status_of
from cli.settings import Settings


@dataclass(frozen=True)
class Answer:
    """Status, the one JSON object of stdout, and everything that was printed anywhere."""

    status: int
    json: dict[str, Any]
    printed: str

    def __getitem__(self, key: str) -> Any:
        return self.json[key]

    @property
    def code(self) -> str:
        """The code of the refusal; empty where it was none."""
        return str(self.json.get("error", {}).get("code", ""))


class Line:
    """`contactpoint --json --home HOME …`, in this process."""

    def __init__(self, home: Path, clock: datetime | None = None) -> None:
        self.home = home
        self.clock = clock

    def __call__(self, *words: str, acting: str | None = None, second: str | None = None) -> Answer:
        """Type a command; `acting` is --as, `second` is --with."""
        arguments = ["--json", "--home", str(self.home)]
        arguments += ["--as", acting] if acting else []
        arguments += ["--with", second] if second else []
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            status = status_of([*arguments, *words], Settings(home=self.home, clock=self.clock))
        lines = out.getvalue().splitlines()
        assert len(lines) == 1, f"{len(lines)} lines on stdout for {words[0]}"
        return Answer(status, json.loads(lines[0]), out.getvalue() + err.getvalue())

    def done(self, *words: str, acting: str | None = None, second: str | None = None) -> dict[str, Any]:
        """Type a command that must succeed."""
        answer = self(*words, acting=acting, second=second)
        assert answer.status == 0, answer.json
        return answer.json

    def found(self, *criteria: str, acting: str = "practitioner") -> list[dict[str, Any]]:
        """The results of a search for casework."""
        results = self.done("search", "--reason", "casework", *criteria, acting=acting)["results"]
        assert isinstance(results, list)
        return results

    def shown(self, child: str, acting: str = "practitioner") -> dict[str, Any]:
        """A record as this account sees it."""
        record = self.done("show", child, "--reason", "casework", acting=acting)["record"]
        assert isinstance(record, dict)
        return record
