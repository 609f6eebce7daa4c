"""`bench`: how fast it is, each figure beside its yardstick in the same run, on the same server."""

from collections.abc import Callable
from typing import Annotated, Final

import typer

from cli.output import Json
from cli.session import session
from ingest.population.numbers import CHILDREN

bench = typer.Typer(
    no_args_is_help=True,
    help="How fast it is: each figure beside its yardstick in one run, on one server, in a home of its own.",
)

Seconds = Annotated[
    float | None, typer.Option(min=0.01, help="How long each contender is measured, over all slices.")
]
Events = Annotated[int | None, typer.Option(min=1, help="How many events of ours at most.")]

Children = Annotated[
    int | None, typer.Option(min=100, max=CHILDREN, help="How many invented children the index holds.")
]


def add_to(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.add_typer(bench, name="bench")


@bench.command()
def append(
    context: typer.Context,
    writers: Annotated[int, typer.Option(min=1, max=32, help="How many write at once.")] = 1,
    events: Events = None,
    seconds: Seconds = None,
) -> None:
    """Changes to existing children, from command to acknowledgement, beside the library's own save."""
    from cli.benches import append as bench_of

    run = session(context)
    answer = bench_of.measure(writers, seconds or bench_of.SECONDS, events, bench_of.ROUNDS, run.output)
    run.output.answer(answer, _words("changes"))


@bench.command()
def bulk(context: typer.Context, events: Events = None, seconds: Seconds = None) -> None:
    """New children with four events each, keys made on the way, beside the library's `insert_events`."""
    from cli.benches import bulk as bench_of

    run = session(context)
    answer = bench_of.measure(events, seconds, bench_of.ROUNDS, run.output)
    run.output.answer(answer, _words("events"))


@bench.command()
def rebuild(context: typer.Context, events: Events = None) -> None:
    """The practitioner view from a log of encrypted events, beside the library's runner and a bare copy of the log."""
    from cli.benches import rebuild as bench_of

    run = session(context)
    answer = bench_of.measure(events, bench_of.ROUNDS, run.output)
    run.output.answer(answer, _rebuilt)


@bench.command()
def publish(context: typer.Context, events: Events = None, seconds: Seconds = None) -> None:
    """Changes from the log to a real broker, beside a bare producer on the same broker."""
    from cli.benches import publish as bench_of

    run = session(context)
    answer = bench_of.measure(events, seconds, bench_of.ROUNDS, run.output)
    run.output.answer(answer, _words("messages"))


@bench.command()
def seal(context: typer.Context, events: Events = None, seconds: Seconds = None) -> None:
    """Events from the log into the sealed tree, beside hashing alone and a bare copy of the log."""
    from cli.benches import seal as bench_of

    run = session(context)
    answer = bench_of.measure(events, seconds, bench_of.ROUNDS, run.output)
    run.output.answer(answer, _sealed)


@bench.command()
def search(
    context: typer.Context,
    children: Children = None,
    searches: Annotated[int | None, typer.Option(min=1, max=10_000, help="How many of each kind.")] = None,
    clients: Annotated[int, typer.Option(min=1, max=64, help="How many search at once.")] = 8,
) -> None:
    """Searches as practitioners make them, over so many children, beside PostgreSQL's own search by trigrams."""
    from cli.benches import search as bench_of

    run = session(context)
    answer = bench_of.measure(
        children or bench_of.CHILDREN, searches or bench_of.SEARCHES, clients, run.output
    )
    run.output.answer(answer, _words_of_searches)


@bench.command()
def match(
    context: typer.Context,
    children: Children = None,
    records: Annotated[int | None, typer.Option(min=1, max=10_000, help="How many of each kind.")] = None,
) -> None:
    """Linking one source record to so many children, beside a look-up of exactly what it says."""
    from cli.benches import match as bench_of

    run = session(context)
    answer = bench_of.measure(children or bench_of.CHILDREN, records or bench_of.RECORDS, run.output)
    run.output.answer(answer, _words_of_linking)


def _words_of_linking(answer: Json) -> str:
    lines = [_latencies("link", answer["link"]), _latencies("  the look-up", answer["look_up"])]
    for kind, own in answer["kinds"].items():
        shares = ", ".join(f"{own[share]:.1%} {share}" for share in ("right", "wrong", "queued", "new"))
        lines.append(f"{_latencies(f'  {kind}', own)}   {shares}")
    lines.append(_latencies("exactly", answer["all_theirs"]))
    lines.append(_latencies("one by its id", answer["all_floor"]))
    return "\n".join(lines)


def _words_of_searches(answer: Json) -> str:
    stress = answer["stress"]
    lines = [
        _latencies("query", answer["query"]),
        *(_latencies(f"  {kind}", own) for kind, own in answer["kinds"].items()),
        _latencies("access event", answer["commit"]),
        _latencies("trigrams", answer["all_theirs"]),
        _latencies("a row by its key", answer["all_floor"]),
        f"{stress['clients']} at once, {stress['per_second']:.0f} a second:",
        _latencies("query", stress["query"]),
        _latencies("all of it", stress["whole"]),
    ]
    return "\n".join(lines)


def _latencies(what: str, answer: Json) -> str:
    found = f"   {answer['found']:.1%} found" if "found" in answer else ""
    parts = "  ".join(f"{name} {answer[name]:>8,.2f} ms" for name in ("p50", "p95", "p99", "max"))
    return f"{what:<18} {parts}{found}"


_YARDSTICKS: Final = (
    ("theirs", "theirs", "ratio_theirs"),
    ("same work", "theirs_same_work", "ratio_same_work"),
    ("floor", "floor", "ratio_floor"),
)


def _words(what: str) -> Callable[[Json], str]:
    def words(answer: Json) -> str:
        lines = [
            f"ours      {answer['ours']:>10,.0f} {what}/s   {answer['events']:,} in all, {answer['peak_mib']:,.0f} MiB"
        ]
        lines += [
            f"{label:<9} {answer[name]:>10,.0f} {what}/s   ours is {answer[ratio]} times that"
            for label, name, ratio in _YARDSTICKS
            if name in answer
        ]
        return "\n".join(lines)

    return words


def _rebuilt(answer: Json) -> str:
    wrong = "" if answer["eta_error"] is None else f"; time to go wrong by {answer['eta_error']:.0%}"
    return (
        f"{_words('events')(answer)}\n"
        f"catch up  {answer['catch_up']:>10,.0f} events/s   {answer['catch_up_ratio_theirs']} times theirs, "
        f"{answer['catch_up_ratio_same_work']} times theirs at the same work\n"
        f"visible after {answer['visible_ms_p50']} ms, p99 {answer['visible_ms_p99']} ms; "
        f"{answer['processes']} processes{wrong}"
    )


def _sealed(answer: Json) -> str:
    return (
        f"{_words('events')(answer)}\n"
        f"in a checkpoint {answer['age_ms_p50']} ms after the append, p99 {answer['age_ms_p99']} ms"
    )
