"""Commands as one line for a shell, to repeat what a page shows."""

import shlex
from collections.abc import Mapping, Sequence


def shell_line(words: Sequence[object], options: Mapping[str, object]) -> str:
    """Return a command line such as `sefa edit --dirs 'my face.dirs' --fast`, quoted for a shell.

    Options that are None or False are left out, and True adds only the option. A value with a
    leading minus is joined with `=`, because a parser would read it as an option.
    """
    line = [str(word) for word in words]
    for name, value in options.items():
        if value is None or value is False:
            continue
        if value is True:
            line.append(name)
        elif str(value).startswith("-") and value != "-":
            line.append(f"{name}={value}")
        else:
            line += [name, str(value)]
    return shlex.join(line)
