"""A command that names every option it lacks, with the whole corrected command."""

import gc
import os
import re
from functools import partial
from typing import Any

from typer.core import TyperCommand

from sefa_cli.commands.typing_errors import TYPING_ERROR, unexpected
from sefa_cli.errors import SefaError, UsageError

# What stands for a missing word in the corrected command; by command where they differ.
_EXAMPLES = {
    "k": "3",
    "to": "npy",
    "model": "mobilestylegan_ffhq",
    "file": "face.dirs",
    "files": "face.dirs",
    "animate output": "film.gif",
    "convert output": "model.safetensors",
    "evaluate output": "eval",
    "export output": "directions.npy",
    "factorize output": "face.dirs",
    "photos": "photo.jpg",
    "invert output": "codes.npz",
    "parts": "face.dirs.1of2.part",
    "merge output": "face.dirs",
    "import output": "face.dirs",
    "import file": "directions.npy",
    "pick output": "picked.dirs",
    "localize output": "eyes.dirs",
    "region": "eyes",
    "attribute": "smile",
    "supervise output": "smile.dirs",
}

typed: list[str] = []  # the words of the command that runs, its name first
known: set[str] = set()  # its options, without dashes
aliases: dict[str, str] = {}  # names of its options → the name that was typed for the same one

_BLAS_THREADS = "OPENBLAS_NUM_THREADS"
_FROM_END = re.compile(r"-[1-9][0-9]*")
_WITH_VALUE = ("--clear", "--dirs", "-d")  # of `sefa name`

_WRITTEN = ("output", "save_codes", "save_preset", "sheet", "report", "cache")  # options
_SHARING = ("--shard", "--on", "--gpus-per-worker")  # each with a value

_JOURNEY = ("first", "last", "storyboard")
# Words that a command needs unless one of these options stands for them.
_INSTEAD = {
    "edit file": ("preset", "dirs"),
    "edit k": ("preset",),
    "animate file": (*_JOURNEY, "dirs"),
    "animate k": _JOURNEY,
    "localize output": ("preview",),
    "localize region": ("box", "mask", "polygon", "seg", "seg_ids"),
    "pick k": ("mix",),
}


class SefaCommand(TyperCommand):
    """A Typer command whose complaint about a missing word shows how to type it."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the words; raises UsageError for those that are missing, all at once."""
        if ctx.resilient_parsing:  # to complete a command, which is not finished yet
            return super().parse_args(ctx, args)
        args = _several_photos(args)
        if self.name == "name":
            args = _words_last(args)
        typed[:] = [str(ctx.info_name), *args]
        known.clear()
        known.update(word.lstrip("-") for p in self.params for word in p.opts)
        aliases.clear()
        for word in (word.partition("=")[0] for word in args if word.startswith("--")):
            same = next((p.opts for p in self.params if word in p.opts), [])
            aliases.update({name: word for name in same if name[:2] == "--" and name != word})
        try:
            given, extra, order = self.make_parser(ctx).parse_args(args=list(args))
        except TYPING_ERROR as error:
            error.ctx = ctx  # type: ignore[attr-defined]  # Typer's parser leaves it out
            raise
        if "help" not in given:
            if extra:
                raise unexpected(extra, ctx, {name for p in order for name in p.opts})
            _refuse_repeats(order)
            self._refuse_both_ways(args)
            self._refuse_empty(given)
            self._refuse_models(given)
            missing = [
                p
                for p in self.params
                if self._is_needed(p, given) and given.get(str(p.name)) is None
            ]
            if missing:
                raise self._complaint(missing, given, args, ctx)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help; where it is plain text, each option has its text below it.

        The texts say in words what `[2<=x<=100]` would.
        """
        for kind in (p.type for p in self.params if hasattr(p.type, "_describe_range")):
            kind._describe_range = lambda: ""
        formatter.write_dl = partial(formatter.write_dl, col_max=6)
        super().format_help(ctx, formatter)

    def invoke(self, ctx: Any) -> Any:
        """Run the command, with numpy imported first."""
        _import_numpy()
        gc.freeze()
        gc.enable()
        return super().invoke(ctx)

    def _is_needed(self, parameter: Any, given: dict[str, Any]) -> bool:
        """Return whether a command cannot do without it; a bundle may also come with `--dirs`."""
        name = str(parameter.name)
        if instead := _INSTEAD.get(f"{self.name} {name}"):
            return not any(given.get(other) for other in instead)
        if name == "file" and parameter.metavar == "X.dirs":
            return not given.get("dirs")
        return bool(parameter.required)

    def _refuse_both_ways(self, words: list[str]) -> None:
        """Refuse a switch that is turned on and off: the last word would win unseen."""
        for parameter in self.params:
            on, off = (
                next((word for word in words if word in ways), None)
                for ways in (parameter.opts, parameter.secondary_opts)
            )
            if on and off:
                raise UsageError(f"{on} and {off} cannot be used together")

    def _refuse_empty(self, given: dict[str, Any]) -> None:
        """Refuse an empty value: as a name it would be the working folder or nothing."""
        for parameter in self.params:
            value: Any = given.get(str(parameter.name))
            several = isinstance(value, list | tuple) and parameter.name != "words"  # labels
            if value == "" or (several and "" in value):
                argument = parameter.param_type_name == "argument"
                name = (
                    str(parameter.metavar).rstrip("…") if argument else max(parameter.opts, key=len)
                )
                what = "the name of a file or folder" if parameter.name in _WRITTEN else "a value"
                if argument:
                    raise UsageError("an empty word", name)
                raise UsageError(f"{name} is empty", what)

    def _refuse_models(self, given: dict[str, Any]) -> None:
        """Refuse the name or the address of a model in the place of a bundle."""
        if any(given.get(other) for other in _JOURNEY):  # which may begin with a model
            return
        for parameter in self.params:
            if str(parameter.metavar).rstrip("…") == "X.dirs" and parameter.name != "output":
                named = given.get(str(parameter.name)) or ()
                for name in [named] if isinstance(named, str) else named:
                    check_no_model(name)

    def _complaint(
        self, missing: list[Any], given: dict[str, Any], args: list[str], ctx: Any
    ) -> UsageError:
        import shlex

        names, before, after = [], [], []
        for parameter in missing:
            name = str(parameter.name)
            word = _EXAMPLES.get(f"{self.name} {name}") or _EXAMPLES.get(name, name.upper())
            if parameter.param_type_name == "argument":
                names.append(str(parameter.metavar))
                before.append(word)
            else:
                names.append(parameter.opts[0])
                models = filter(_names_a_model, given.get("photos") or ())
                if name == "model" and (model := next(models, None)):
                    word, args = model, [other for other in args if other != model]
                after += [parameter.opts[0], word]
        path = ctx.command_path.removeprefix(ctx.find_root().command_path).split()  # models pull
        line = shlex.join(["sefa", *path, *before, *args, *after])
        return UsageError(f"{_listed(names)} {'is' if len(names) == 1 else 'are'} missing", line)


def _import_numpy() -> None:
    """Import numpy without the threads of its OpenBLAS, which take as long to start as numpy.

    What is promised to be the same on any number of threads is computed with one. A user's own
    number stays. torch does not see ours: on ARM it has an OpenBLAS, which needs its threads.
    """
    if _BLAS_THREADS in os.environ:
        return
    os.environ[_BLAS_THREADS] = "1"
    try:
        import numpy  # noqa: F401
    finally:
        del os.environ[_BLAS_THREADS]


def check_no_model(name: str) -> None:
    """Raise SefaError for a model's name or address where a bundle is expected."""
    import shlex
    from pathlib import Path

    from sefa_cli.files import BUNDLES
    from sefa_cli.sources.references import check_ref, file_name, is_remote

    if name == "-" or Path(name).exists() or Path(name).suffix in BUNDLES[:1]:
        return
    if is_remote(name):
        check_ref(name)
        stem = Path(file_name(name)).stem
    elif _names_a_model(name):
        stem = name
    else:
        return
    line = shlex.join(["sefa", "factorize", name, "-o", f"{stem}.dirs"])
    raise SefaError(f"{name} is a model", "a bundle of its directions", f"Make one with: {line}")


def _names_a_model(word: str) -> bool:
    """Return whether a word is the name of a model of the zoo."""
    from sefa_cli.sources.zoo import load_zoo, may_be_name

    return may_be_name(word) and word in load_zoo()


def _refuse_repeats(order: list[Any]) -> None:
    """Refuse an option that is given twice and holds one value: the first would be lost."""
    for parameter in order:
        once = parameter.param_type_name == "option" and not parameter.multiple
        if once and not parameter.is_flag and order.count(parameter) > 1:
            name = max(parameter.opts, key=len)
            raise UsageError(f"{name} is given {order.count(parameter)} times", "once")


def _several_photos(words: list[str]) -> list[str]:
    """Return the words with `--photo` before each photo: a shell makes many of `--photo *.jpg`.

    Example:
        >>> _several_photos(["--photo", "a.jpg", "b.jpg", "face.dirs", "--k", "0"])
        ['--photo', 'a.jpg', '--photo', 'b.jpg', 'face.dirs', '--k', '0']
    """
    made: list[str] = []
    for word in words:
        after_photo = made[-2:-1] == ["--photo"]
        if after_photo and not word.startswith("-") and not word.endswith(".dirs"):
            made.append("--photo")
        made.append(word)
    return made


def _words_last(words: list[str]) -> list[str]:
    """Return the words of `sefa name` with `-1`, the last direction, behind a `--`.

    Example:
        >>> _words_last(["face.dirs", "-1", "smile", "--clear", "-2", "--list"])
        ['--clear', '-2', '--list', '--', 'face.dirs', '-1', 'smile']
        >>> _words_last(["face.dirs", "3", "smile"])
        ['face.dirs', '3', 'smile']
    """
    options: list[str] = []
    bare: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        is_bare = not word.startswith("-") or word == "-" or bool(_FROM_END.fullmatch(word))
        (bare if is_bare and before not in _WITH_VALUE else options).append(word)
    from_end = any(map(_FROM_END.fullmatch, bare))
    return [*options, "--", *bare] if from_end and "--" not in words else words


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def command_line() -> str:
    """Return what was typed, without what shares it out."""
    import shlex
    import sys

    return shlex.join(["sefa", *unshared(sys.argv[1:])])


def unshared(words: list[str]) -> list[str]:
    """Return words without the options that share a job out.

    Example:
        >>> unshared(["a.pth", "--on", "ray", "--resume", "--shard=1/2", "-o", "a.dirs"])
        ['a.pth', '-o', 'a.dirs']
    """
    left, waiting = [], list(words)
    while waiting:
        word = waiting.pop(0)
        if word in _SHARING:
            waiting = waiting[1:]
        elif word != "--resume" and not word.startswith(tuple(f"{o}=" for o in _SHARING)):
            left.append(word)
    return left
