"""The only reads of the retention schedule. A day of archiving tells a date of birth: to list it is a look."""

from datetime import date
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row

from projections.retention_schedule.view import DueRow, UndatedRow


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


def undated(connection: Connection[Any]) -> list[UndatedRow]:
    """The records for which no rule has a date."""
    with connection.cursor(row_factory=class_row(UndatedRow)) as cursor:
        return cursor.execute("SELECT child_id, reason, rule_set FROM undated ORDER BY child_id").fetchall()
