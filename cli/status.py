"""How one command ends: errors become words and a status, never a trace with values in it."""

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
    """Click's words without the value it quotes."""
    if isinstance(wrong, click.BadParameter):
        name = _parameter(wrong) or "an option"
        return f"The value given for {name} cannot be read. See --help for its form."
    return wrong.format_message()


def _parameter(wrong: click.UsageError) -> str | None:
    parameter = getattr(wrong, "param", None)
    return parameter.name if parameter is not None else None


def _invalid(wrong: ValidationError) -> BadInput:
    first = wrong.errors(include_input=False, include_context=False, include_url=False)[0]
    field = ".".join(str(part) for part in first["loc"]) or None
    return BadInput(f"{field or 'The input'}: {first['msg']}.", code="bad-input", field=field)
