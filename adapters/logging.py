"""Log lines for operators: JSON on stderr, from a closed list of events and fields, so that no person can be in them.

A field that is not on the list is dropped and named in `dropped`: a careless call shows in the log without its value.
"""

import sys
from collections.abc import MutableMapping
from enum import StrEnum
from traceback import extract_tb
from typing import Any, Final

import structlog

FIELDS: Final = frozenset(
    {
        "event",
        "level",
        "at",
        "code",
        "kind",
        "sqlstate",
        "where",
        "name",
        "position",
        "count",
        "seconds",
        "correlation",
    }
)


class LogEvent(StrEnum):
    """Everything that is ever logged."""

    UNFORESEEN = "unforeseen-error"


def configure() -> None:
    """Set structlog up. Safe to repeat."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
            only_known_fields,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def only_known_fields(
    _logger: object, _method: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Drop what is not on the list, and whatever is not a number or a short word."""
    kept = {name: value for name, value in fields.items() if name in FIELDS and _is_plain(value)}
    dropped = sorted(set(fields) - set(kept))
    return {**kept, "dropped": dropped} if dropped else kept


def unforeseen(error: BaseException) -> None:
    """Log an error that nobody foresaw: its type and where it arose, never its text, which may quote a value."""
    frames = extract_tb(error.__traceback__)
    where = " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(frames[-6:]))
    structlog.get_logger().error(LogEvent.UNFORESEEN, kind=type(error).__name__, where=where)


def _is_plain(value: object) -> bool:
    return isinstance(value, int | float | bool) or (isinstance(value, str) and len(value) <= 400)
