"""The command line: `contactpoint [--home DIR] [--json] [--as ACCOUNT] [--with ACCOUNT] COMMAND …`.

Exit status: 0 done; 1 the thing asked about is not so; 2 wrong usage; 3 the system could not do it.
"""

import sys
from pathlib import Path
from typing import Annotated

import click
import typer
from pydantic import ValidationError

from cli import accounts, audit, bench, demo, home, keys, load, looking, policy, projection, record, retention
from cli.output import Output
from cli.session import Session
from cli.settings import Settings
from domain.errors import BadInput, ContactPointError, Refused, Unavailable

app = typer.Typer(
    name="contactpoint",
    help="An event-sourced index of children: who a child is and which services are involved, and nothing more.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)


@app.callback()
def common(
    context: typer.Context,
    home_folder: Annotated[
        Path | None,
        typer.Option("--home", help="The home folder. Default: CONTACTPOINT_HOME or ./.contactpoint."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object on stdout, everything else on stderr.")
    ] = False,
    acting: Annotated[
        str | None, typer.Option("--as", help="The account that acts (training homes).")
    ] = None,
    second: Annotated[
        str | None, typer.Option("--with", help="The second person, where two are needed.")
    ] = None,
) -> None:
    """What every command takes."""
    settings = context.obj if isinstance(context.obj, Settings) else Settings.from_environment()
    context.obj = Session(home_folder, Output(as_json=as_json), acting, second, settings)


for module in (
    home,
    load,
    record,
    looking,
    audit,
    retention,
    projection,
    policy,
    accounts,
    keys,
    bench,
    demo,
):
    module.add_to(app)


def run(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its status."""
    sys.exit(status_of(sys.argv[1:] if arguments is None else arguments))


def status_of(arguments: list[str], settings: Settings | None = None) -> int:
    """Run one command and say how it ended. Errors become words, never a trace with values in it.

    `settings` stands in for the environment.
    """
    output = Output(as_json="--json" in arguments)
    try:
        result = typer.main.get_command(app).main(
            arguments, prog_name="contactpoint", standalone_mode=False, obj=settings
        )
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
    except Exception as unforeseen:  # noqa: BLE001 - the last line: a trace could hold a personal value
        output.error(
            Unavailable(
                f"Something went wrong that should not have ({type(unforeseen).__name__}); nothing was shown.",
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
