"""Row 0. The errors a user can meet: what was found, what was expected, what to do.

The command line prints such an error as one line and exits with its `exit_code`. Anything else that
escapes is a bug and shows a traceback.
"""

from collections.abc import Iterable


def either(choices: Iterable[object]) -> str:
    """Return choices as every message lists them.

    Example:
        >>> either(["rows", "sequence"]), either("wxyz"), either([".gif"])
        ('rows or sequence', 'w, x, y or z', '.gif')
    """
    *most, last = map(str, choices)
    return f"{', '.join(most)} or {last}" if most else last


class SefaError(Exception):
    """An error that a user can act on (exit code 1).

    `found` says what was wrong, `expected` what should have been there, `remedy` what to do now.
    The last two may be empty if they would only repeat the first.

    Example:
        >>> try:
        ...     sefa.load_generator("none.pth")
        ... except sefa.SefaError as error:
        ...     print(error.found, "-", error.exit_code)
        none.pth does not exist - 1
    """

    exit_code = 1

    def __init__(self, found: str, expected: str = "", remedy: str = "") -> None:
        self.found, self.expected, self.remedy = found, expected, remedy
        text = found + (f"; expected {expected}" if expected else "")
        super().__init__(text + (f". {remedy}" if remedy else ""))

    def about(self, source: object) -> "SefaError":
        """Return the same error with its file: "it is empty" becomes "a.pth is empty".

        Args:
            source: The file.

        Returns:
            A new error.

        Example:
            >>> print(SefaError("it is empty").about("a.pth"))
            a.pth is empty
            >>> print(SefaError("the array 'w' is missing").about("a.npz"))
            a.npz: the array 'w' is missing
        """
        said = self.found
        found = f"{source} {said[3:]}" if said.startswith("it ") else f"{source}: {said}"
        return SefaError(found, self.expected, self.remedy)


class UsageError(SefaError):
    """An argument or a word of a command is wrong: an unknown layer, a bad range (exit code 2).

    Example:
        >>> try:
        ...     sefa.factorize(tiny, layers="90")
        ... except sefa.UsageError as error:
        ...     print(error)
        layer 90 is out of range; expected 0-7. Levels: all, bottom, middle or top.
    """

    exit_code = 2


class MismatchError(SefaError):
    """The model and the bundle do not belong together (exit code 3).

    Example:
        >>> try:
        ...     sefa.factorize(tiny).move(np.zeros((1, 512), np.float32), 0)
        ... except sefa.MismatchError as error:
        ...     print(error)
        codes have the shape (1, 512); expected (n, 8, 32) or (n, 32)
    """

    exit_code = 3


class OfflineError(SefaError):
    """A model is not cached and may not be fetched now (exit code 4).

    Example:
        >>> try:
        ...     sefa.load_generator("stylegan2_ffhq", offline=True)
        ... except sefa.OfflineError as error:
        ...     print(error.exit_code, "sefa models pull stylegan2_ffhq" in error.remedy)
        4 True
    """

    exit_code = 4
