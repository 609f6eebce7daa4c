"""What a command prints: with `--json` exactly one JSON object on stdout, else words; everything else on stderr."""

import json
import sys
from collections.abc import Callable
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from domain.errors import ContactPointError

Json = dict[str, Any]


class Output:
    """Prints answers and errors in the form asked for."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.shown_to: str | None = None
        """Whose look an answer is: stands, with the id of the access, under everything that is printed of it."""
        self.out = Console(highlight=False, soft_wrap=True)
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    def answer(self, answer: Json, words: Callable[[Json], str]) -> None:
        """Print the answer: as JSON, or as the words made of it."""
        if self.as_json:
            sys.stdout.write(dumps(answer) + "\n")
            sys.stdout.flush()
        else:
            self.out.print(words(answer), markup=False)
            if "access_id" in answer:
                # A print that is left lying about says whose it is (T47); the access id leads to all the rest.
                self.out.print(f"[shown to {self.shown_to}, access {answer['access_id']}]", markup=False)

    def error(self, error: ContactPointError) -> None:
        """Print a refusal or failure; it never holds a personal value."""
        if self.as_json:
            body = {
                "code": error.code,
                "message": error.message,
                **({"field": error.field} if error.field else {}),
            }
            sys.stdout.write(dumps({"error": body}) + "\n")
            sys.stdout.flush()
        else:
            self.err.print(f"{error.message} [{error.code}]", markup=False)

    def note(self, words: str) -> None:
        """Say something beside the answer."""
        self.err.print(words, markup=False)

    def to_copy(self, words: str) -> None:
        """Say something beside the answer that is to be copied, so that no line of it is broken."""
        self.err.print(words, markup=False, highlight=False, soft_wrap=True)

    def progress(self) -> Progress:
        """A bar on stderr with rate and time left; silent where stderr is no terminal."""
        return Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=self.err,
            transient=True,
            disable=not self.err.is_terminal,
        )


def dumps(value: Json) -> str:
    """One line of JSON."""
    return json.dumps(value, ensure_ascii=False, default=_plain)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | StrEnum):
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def words_of_receipt(answer: Json) -> str:
    """That something was recorded, in one line."""
    return f"Recorded. Receipt {answer['receipt']}"
