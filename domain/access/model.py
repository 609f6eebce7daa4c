"""An access as it is recorded, and the grant without which no query returns personal data."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.access.events import AccessMetadata, AccessRefused, AuditRead, RecordShown, RecordsSearched
from domain.disclosure import Viewer
from domain.personal_data import Forgotten


@dataclass(frozen=True, slots=True)
class Access:
    """One access: what was asked (forgotten once any child shown is), and everything else about it."""

    event: RecordsSearched | RecordShown | AuditRead | AccessRefused | Forgotten
    metadata: AccessMetadata


@dataclass(frozen=True, slots=True)
class AccessGrant:
    """Permission for one access by one viewer at one instant. Only `domain.access.handlers` makes one."""

    access_id: UUID
    viewer: Viewer
    instant: datetime
    purpose: str | None
    override: bool = False
    confirmed_by: UUID | None = None
