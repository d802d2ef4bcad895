"""Row 0. The errors a user can meet: what was found, what was expected, what to do.

The command line prints such an error as one line and exits with its `exit_code`;
anything else that escapes is a bug of ours and shows a traceback.
"""


class SefaError(Exception):
    """A stated error (exit code 1).

    `found` says what is there, `expected` what should have been, `remedy` what to do now.
    The last two may be empty where they would only repeat the first.
    """

    exit_code = 1

    def __init__(self, found: str, expected: str = "", remedy: str = "") -> None:
        self.found, self.expected, self.remedy = found, expected, remedy
        text = found + (f"; expected {expected}" if expected else "")
        super().__init__(text + (f". {remedy}" if remedy else ""))


class UsageError(SefaError):
    """The words of the command are wrong: an unknown layer, a bad range (exit code 2)."""

    exit_code = 2


class MismatchError(SefaError):
    """Model and bundle do not belong together (exit code 3)."""

    exit_code = 3


class OfflineError(SefaError):
    """What is needed is not cached and may not be fetched now (exit code 4)."""

    exit_code = 4
