"""Commands as one line for a shell, so that what a page shows can be made again."""

import shlex
from collections.abc import Mapping, Sequence


def shell_line(words: Sequence[object], options: Mapping[str, object]) -> str:
    """`sefa edit --dirs 'my face.dirs' --fast`: quoted where a POSIX shell needs it.

    Options that are None or False are left out, True stands alone. A value that begins with a
    minus is joined with `=`, so that no parser takes it for an option.
    """
    said = [str(word) for word in words]
    for name, value in options.items():
        if value is None or value is False:
            continue
        if value is True:
            said.append(name)
        elif str(value).startswith("-") and value != "-":
            said.append(f"{name}={value}")
        else:
            said += [name, str(value)]
    return shlex.join(said)
