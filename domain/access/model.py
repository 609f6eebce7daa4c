"""An access as it is recorded, and the grant without which no query returns personal data."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.access.events import Looked
from domain.disclosure import Viewer
from domain.kernel import Metadata


@dataclass(frozen=True, slots=True)
class Access:
    """One access as recorded. Its event is `LookForgotten` once any child shown, or its period, is destroyed."""

    access_id: UUID
    event: Looked
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class AccessGrant:
    """Permission for one access by one viewer at one instant. Only `domain.access.handlers` makes one."""

    access_id: UUID
    viewer: Viewer
    instant: datetime
    purpose: str | None
    override: bool = False
    confirmed_by: UUID | None = None
