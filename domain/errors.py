"""What can be refused and what can fail.

    ContactPointError
    ├── Refused             a command is not allowed, or makes no sense as things stand      status 1 (or 2)
    │   ├── BadInput        what was given cannot be accepted; names the field               status 2
    │   ├── NotFound        no such thing for this viewer                                    status 1
    │   └── AccessDenied    a condition of access does not hold                              status 1
    ├── VersionConflict     the stream moved since it was read: load again and retry
    ├── AlreadyReserved     an identifier already belongs to another stream
    └── Unavailable         the system could not do it; nothing happened                     status 3
        ├── DamagedStream   a key is missing or a tag fails: the stream is parked
        ├── Fenced          another publisher or sealer leads since
        ├── AuditUnavailable  the access could not be recorded, so nothing was shown
        └── NoReceipt       what was done is on record, and not sealed yet: says how far it got

A message is written for the person who reads it, says what to do, and never holds a personal value.
"""

from uuid import UUID


class ContactPointError(Exception):
    """The root. `code` is stable and machine-readable; `field` names the input at fault, if one is."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.field = field


class Refused(ContactPointError):
    """The command is refused as a whole; nothing was stored."""

    code = "refused"


class BadInput(Refused):
    """The input cannot be accepted; `field` names it, the message names the remedy, neither holds the value."""

    code = "bad-input"


class NotFound(Refused):
    """No such thing for this viewer. Says nothing about whether it exists for another."""

    code = "not-found"


class AccessDenied(Refused):
    """A condition of access does not hold."""

    code = "access-denied"


class VersionConflict(ContactPointError):
    """Another writer appended to the stream first."""

    code = "version-conflict"


class AlreadyReserved(ContactPointError):
    """A unique token is held by another stream."""

    code = "already-reserved"

    def __init__(self, stream_id: UUID) -> None:
        super().__init__("The identifier already belongs to another record.")
        self.stream_id = stream_id


class Unavailable(ContactPointError):
    """The system could not do it. Nothing was shown and nothing half done; it can be tried again."""

    code = "unavailable"


class AuditUnavailable(Unavailable):
    """The access could not be recorded, so nothing is shown (fail closed)."""

    code = "audit-unavailable"


class NoReceipt(Unavailable):
    """A risky act is on record, and no published checkpoint holds it in time: it went no further than the words say."""

    code = "no-receipt"

    def after(self, state: str) -> "NoReceipt":
        """The same, told to whoever asked for the act. state: what is on record, and what has not come about."""
        return NoReceipt(f"{state} {self.message}")


class DamagedStream(Unavailable):
    """A key is missing without a certificate, or a ciphertext does not match its tag. Shown to nobody."""

    code = "damaged-stream"

    def __init__(self, stream_id: UUID, version: int | None = None) -> None:
        super().__init__(
            "A record cannot be opened: a key is missing or stored bytes were altered. Run `contactpoint health`."
        )
        self.stream_id = stream_id
        self.version = version


class Fenced(Unavailable):
    """Another publisher leads since. This one has stopped; nothing is lost."""

    code = "fenced"
