"""The only reads of the retention schedule. A day of archiving tells a date of birth: to list it is a look."""

from datetime import date
from typing import Any
from uuid import UUID

from psycopg import Connection
from psycopg.rows import class_row

from projections.retention_schedule.view import DueRow, ShieldRow, UndatedRow


def due(connection: Connection[Any], on: date) -> list[DueRow]:
    """What falls due on or before a day, earliest first."""
    with connection.cursor(row_factory=class_row(DueRow)) as cursor:
        return cursor.execute(
            """
            SELECT child_id, action, due_on, rule, rule_set, shielded FROM due
            WHERE due_on <= %s ORDER BY due_on, child_id
            """,
            (on,),
        ).fetchall()


def reviews(connection: Connection[Any], on: date, most: int) -> list[ShieldRow]:
    """Shields that are to be looked at again on or before a day, the longest overdue first."""
    with connection.cursor(row_factory=class_row(ShieldRow)) as cursor:
        return cursor.execute(
            "SELECT child_id, review_on, lift_on, rule_set FROM shield WHERE review_on <= %s "
            "ORDER BY review_on, child_id LIMIT %s",
            (on, most),
        ).fetchall()


def lifts(connection: Connection[Any], on: date) -> list[UUID]:
    """The records whose shields come down on or before a day, because two people decided so."""
    found = connection.execute(
        "SELECT child_id FROM shield WHERE lift_on <= %s ORDER BY lift_on, child_id", (on,)
    )
    return [child_id for (child_id,) in found]


def undated(connection: Connection[Any]) -> list[UndatedRow]:
    """The records for which no rule has a date."""
    with connection.cursor(row_factory=class_row(UndatedRow)) as cursor:
        return cursor.execute("SELECT child_id, reason, rule_set FROM undated ORDER BY child_id").fetchall()
