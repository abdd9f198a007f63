"""Every error that aslbatch raises on purpose, in one tree.

    AslbatchError                1
    ├── ConfigError              2  the command line or the configuration is wrong
    ├── SourceError              1  an input cannot be read, or changed since the plan
    │   └── DamagedSourceError   1  an input is there, but its bytes make no sense
    ├── ModelError               1  a checkpoint is not what the job needs
    │   └── MergeError           1  an adapter is unfit, or was not merged as it should
    ├── TeacherError             1  a teacher's service cannot be asked, or may not be paid more
    │   ├── BusyError            1  the service takes no more for now
    │   ├── LostAnswerError      1  whether a job was made is not known
    │   └── LostJobError         1  the service does not know a job that was made
    ├── SinkError                1  the output cannot be written or read
    │   └── OutputMismatchError  4  the output belongs to another run
    ├── IncompleteRunError       1  planned shards are missing, or a file does not verify
    ├── TooManyFailedRowsError   3  more rows failed than run.max_failed_rows allows
    └── QualityAlarmError        5  what comes out is not what it should be; the run was halted

The number is the exit code of the command line. Messages name the file, the row, the value and
what to do about it.
"""

from collections.abc import Sequence


class AslbatchError(Exception):
    """Base of all errors with a message meant for the user.

    Errors travel between Ray workers and the driver by pickling, so each is rebuilt from the
    arguments it was made with.
    """

    exit_code = 1

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message

    def __reduce__(self) -> tuple[type["AslbatchError"], tuple[object, ...]]:
        return type(self), (self.message,)


class ConfigError(AslbatchError):
    """The command line or a configuration file is wrong; `faults` lists every fault found.

    Attributes:
        faults: One line a fault, each with file and line where they are known.
    """

    exit_code = 2

    def __init__(self, faults: str | Sequence[str]) -> None:
        self.faults = (faults,) if isinstance(faults, str) else tuple(faults)
        super().__init__("\n".join(self.faults))

    def __reduce__(self) -> tuple[type["AslbatchError"], tuple[object, ...]]:
        return type(self), (self.faults,)


class SourceError(AslbatchError):
    """A source is missing, unreadable, of another type than expected, or changed."""


class DamagedSourceError(SourceError):
    """A source can be opened, but its bytes cannot be decoded.

    Before work starts it stops the job; a shard that turns out so later is rejected as a whole.
    """


class ModelError(AslbatchError):
    """A checkpoint is missing, or is not an mBART-50 model with the languages asked for."""


class MergeError(ModelError):
    """An adapter does not fit its base, or the merged model is not the two together."""


class TeacherError(AslbatchError):
    """The service of a teacher cannot be asked, or does not do what it must."""


class BusyError(TeacherError):
    """A service takes no more for now, and has done nothing.

    Attributes:
        wait_s: Seconds for which it asked to be left alone.
    """

    def __init__(self, message: str, wait_s: float = 0.0) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class LostAnswerError(TeacherError):
    """A request that costs was sent, and whether it was taken is not known."""


class LostJobError(TeacherError):
    """A service does not know a job that was made there, or its answers: gone, or another's."""


class SinkError(AslbatchError):
    """The output folder cannot be written, or what lies there cannot be read."""


class OutputMismatchError(SinkError):
    """The output folder holds another run's work."""

    exit_code = 4


class IncompleteRunError(AslbatchError):
    """Planned shards are not committed, or committed files do not verify."""


class TooManyFailedRowsError(AslbatchError):
    """More rows failed than `run.max_failed_rows` allows."""

    exit_code = 3


class QualityAlarmError(AslbatchError):
    """Translations, or answers, are not what they should be: going on would waste the work."""

    exit_code = 5
