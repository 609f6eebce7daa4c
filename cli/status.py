"""How one command ends: errors become words and a status, never a trace with values in it."""

import re
from typing import Final

import click
from pydantic import ValidationError

from adapters import logging
from cli.output import Output
from cli.settings import Settings
from domain.errors import BadInput, ContactPointError, Refused, Unavailable


def ended(command: click.Command, arguments: list[str], settings: Settings | None = None) -> int:
    """Run one command and say how it ended. Errors become words, never a trace with values in it.

    `settings` stands in for the environment.
    """
    logging.configure()
    output = Output(as_json="--json" in arguments)
    try:
        result = command.main(arguments, prog_name="contactpoint", standalone_mode=False, obj=settings)
    except click.exceptions.NoArgsIsHelpError as shown:
        output.note(shown.format_message())
        return 2
    except click.UsageError as wrong:
        output.error(BadInput(_usage(wrong), code="usage", field=_parameter(wrong)))
        return 2
    except click.Abort:
        output.error(ContactPointError("Stopped.", code="stopped"))
        return 3
    except ValidationError as wrong:
        output.error(_invalid(wrong))
        return 2
    except BadInput as wrong:
        output.error(wrong)
        return 2
    except Refused as refused:
        output.error(refused)
        return 1
    except Unavailable as away:
        output.error(away)
        return 3
    except ContactPointError as failed:
        output.error(failed)
        return 3
    except KeyboardInterrupt:
        output.error(ContactPointError("Stopped.", code="stopped"))
        return 3
    except Exception as error:  # noqa: BLE001 - the last line: a trace could hold a personal value
        logging.unforeseen(error)
        output.error(
            Unavailable(
                f"Something went wrong that should not have ({type(error).__name__}); nothing was shown.",
                code="internal",
            )
        )
        return 3
    return result if isinstance(result, int) else 0


def _usage(wrong: click.UsageError) -> str:
    """What is wrong and where, in words without what was typed: that may be a name or a number of somebody."""
    match wrong:
        case click.MissingParameter():
            return f"{_shown(wrong)} is missing. See --help."
        case click.NoSuchOption() if wrong.ctx and wrong.option_name in _of_every_command(wrong.ctx):
            return (
                f"{wrong.option_name} stands before the command: contactpoint {wrong.option_name} … COMMAND."
            )
        case click.NoSuchOption() if _OPTION.fullmatch(wrong.option_name):
            meant = f" Did you mean {' or '.join(wrong.possibilities)}?" if wrong.possibilities else ""
            return f"There is no option {wrong.option_name} here.{meant} See --help."
        case click.NoSuchOption():
            return "There is no such option here. See --help."
        case click.BadOptionUsage() if wrong.option_name.startswith("-"):
            return (
                f"{wrong.option_name} is given without its value, or with one it does not take. See --help."
            )
        case click.BadParameter():
            return f"The value given for {_shown(wrong)} cannot be read. See --help for its form."
        case _:
            return _misplaced(wrong)


def _of_every_command(context: click.Context) -> set[str]:
    """The options that every command has."""
    return {option for parameter in context.find_root().command.params for option in parameter.opts}


def _misplaced(wrong: click.UsageError) -> str:
    command = wrong.ctx.command if wrong.ctx else None
    if isinstance(command, click.Group):
        return f"Give one of its commands: {', '.join(command.commands)}."
    return "There is a word too many: put quotes around what holds spaces. See --help."


_OPTION: Final = re.compile(r"--?[a-z][a-z-]{0,30}")


def _shown(wrong: click.BadParameter) -> str:
    """The option or argument as it is written."""
    parameter = wrong.param
    if isinstance(parameter, click.Option):
        return str(parameter.opts[0])
    return str(parameter.human_readable_name) if parameter is not None else "A value"


def _parameter(wrong: click.UsageError) -> str | None:
    parameter = getattr(wrong, "param", None)
    return parameter.name if parameter is not None else None


def _invalid(wrong: ValidationError) -> BadInput:
    first = wrong.errors(include_input=False, include_context=False, include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or None
    words = _WORDS.get(first["type"], first["msg"].removeprefix("Value error, "))
    return BadInput(f"{field or 'The input'}: {words}.", code="bad-input", field=field)


_WORDS: Final = {
    "string_pattern_mismatch": "this is not in the form that is held here; see --help",
    "string_too_long": "this is too long: give the name, code or number alone",
    "string_too_short": "this is empty: give it, or leave the option out",
    "too_long": "there are too many of these",
    "uuid_parsing": "this is not an id: copy it from the command that printed it",
}
"""Kind of error → words for whoever typed; of others, pydantic's own words do."""
