"""Every view there is. A name here never changes; a version goes up whenever the same log would give other rows."""

from typing import Final

from projections.access_register.view import ACCESS_REGISTER
from projections.audit_trail.view import AUDIT_TRAIL
from projections.match_index.view import MATCH_INDEX
from projections.oversight.view import OVERSIGHT
from projections.practitioner_view.view import PRACTITIONER_VIEW
from projections.projection import Projection
from projections.retention_schedule.view import RETENTION_SCHEDULE
from projections.review_queue.view import REVIEW_QUEUE

PROJECTIONS: Final[tuple[Projection, ...]] = (
    PRACTITIONER_VIEW,
    AUDIT_TRAIL,
    RETENTION_SCHEDULE,
    MATCH_INDEX,
    REVIEW_QUEUE,
    ACCESS_REGISTER,
    OVERSIGHT,
)
