"""Everything that can stand between a caller and the log, as one tree.

    RatchetError                    what is wrong, where, and what would be right
      Refused                       the message itself is wrong; nothing was written
        UnknownType                 no event has this name
        Malformed                   a field is missing, surplus or of the wrong kind
        NotYours                    only an agent or a worker may say this
        TooLarge                    bigger than an event may be
      Conflict                      the message is right, but history has moved on
        VersionConflict             the stream is not at the expected version
        IdTaken                     the same event id was used for other content
        CheckpointMoved             another reader has gone on from this checkpoint
        LeaseLost                   the lease has ended, or was granted to another
      NotFound                      what was asked about is not there
      LogUnavailable                the log cannot be reached or written just now
        OwnerBusy                   another process owns this home and does not answer
        ServerAway                  the server that holds the log does not answer just now
        NoRoom                      the disk is full
        ReadOnly                    the folder may not be written
        NotBegun                    there is a database, but no log in it yet
      LogDamaged                    the database is not what it was
      UnknownHistory                a log, or an event in it, that this version cannot read

Each carries an exit code for the command line; HTTP statuses are in `infra/api`.
"""


class RatchetError(Exception):
    """Something is wrong at `where`, and `right` would mend it."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", right: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.right = what, where, right

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        right = f": {self.right}" if self.right else ""
        return f"{self.what}{where}{right}"

    def body(self) -> dict[str, str]:
        """The three parts, as they stand in an answer."""
        return {"what": self.what, "where": self.where, "right": self.right}


class Refused(RatchetError):
    """The message is wrong in itself."""

    exit_code = 2


class UnknownType(Refused):
    """No event has this name."""


class Malformed(Refused):
    """A field is missing, surplus or of the wrong kind."""


class NotYours(Refused):
    """This event belongs to an agent or a worker."""


class TooLarge(Refused):
    """Bigger than an event may be."""


class Conflict(RatchetError):
    """History has moved on since the caller looked."""


class VersionConflict(Conflict):
    """The stream is not at the expected version."""


class IdTaken(Conflict):
    """This event id already stands for other content."""


class CheckpointMoved(Conflict):
    """Another reader has gone on from this checkpoint."""


class LeaseLost(Conflict):
    """The lease has ended, or was granted to another."""


class NotFound(RatchetError):
    """What was asked about is not there."""

    exit_code = 3


class LogUnavailable(RatchetError):
    """The log cannot be reached or written just now."""

    exit_code = 4


class OwnerBusy(LogUnavailable):
    """Another process owns this home and does not answer."""


class ServerAway(LogUnavailable):
    """The server that holds the log does not answer just now; whoever can wait, waits."""


class NoRoom(LogUnavailable):
    """The disk is full."""


class ReadOnly(LogUnavailable):
    """The folder may not be written."""


class NotBegun(LogUnavailable):
    """There is a database, but no log in it yet: it is just being made."""


class LogDamaged(RatchetError):
    """The database is not what it was."""


class UnknownHistory(RatchetError):
    """A log, or an event in it, that this version cannot read."""
