"""What can go wrong, as one line: the file, what is wrong with it, and the cure.

Exit codes: 2 usage or configuration, 3 finished but some inputs were left out, 4 a file is damaged
or unsafe, 5 a resource is missing (disk, memory, permission). 1 is left to bugs.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` with control characters and undecodable bytes escaped, so that a terminal stays safe."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


class DegradeError(Exception):
    """An expected failure. `str()` gives `subject: problem - cure` on one line."""

    exit_code = 1

    def __init__(self, subject: object, problem: str, cure: str) -> None:
        self.subject, self.problem, self.cure = str(subject), problem, cure
        super().__init__(subject, problem, cure)  # all arguments: the error survives a process border

    def __str__(self) -> str:
        return printable(f"{self.subject}: {self.problem} - {self.cure}")


class UsageError(DegradeError):
    """A command, option or configuration that cannot be meant."""

    exit_code = 2


class RecipeError(UsageError):
    """A recipe that does not say what it must; names the path inside the file."""


class MissingModelError(RecipeError):
    """A recipe of ours whose model the user has to train."""


class PlanChangedError(UsageError):
    """An output folder belongs to a run with other settings."""


class ImageError(DegradeError):
    """A picture that cannot be read, or not safely. A run leaves it out and goes on."""

    exit_code = 3


class InputsSkippedError(DegradeError):
    """The run finished, but some inputs were left out."""

    exit_code = 3


class IntegrityError(DegradeError):
    """A file of ours that is damaged, incomplete, or of a format or version not known."""

    exit_code = 4


class UnsafeFileError(IntegrityError):
    """A file that asks for more than data: refused."""


class ResourceError(DegradeError):
    """Disk, memory or permission is lacking."""

    exit_code = 5
