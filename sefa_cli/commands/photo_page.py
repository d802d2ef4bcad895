"""`--report` of `sefa invert`: a page of the photos, their codes' pictures, and edits."""

from dataclasses import dataclass, fields
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands.checks import check_model
from sefa_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sefa_cli.inversion.how import How
    from sefa_cli.inversion.page import Edits


@dataclass(kw_only=True, eq=False, repr=False)
class PageOptions:
    """The page of photos that `sefa invert` can write."""

    report: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Also write a page: each photo, its code's picture and their difference.",
        ),
    ] = None
    dirs: Annotated[
        str | None,
        typer.Option(
            "--dirs",
            "-d",
            metavar="X.dirs",
            help="With --report, a bundle of the model, whose named directions the page shows.",
        ),
    ] = None

    def edits(
        self, model: str, offline: bool | None, overwrite: bool, sharing: str | None
    ) -> "Edits | None":
        """Return the edits that are asked for. Raises SefaError early.

        `sharing` is the option that shares the photos out, if one does.
        """
        if self.report is None:
            if self.dirs is not None:
                raise UsageError("--dirs has no effect without --report")
            return None
        if sharing:
            raise UsageError(f"{sharing} and --report cannot be used together")
        from sefa_cli.bundle.bundle import Bundle
        from sefa_cli.projections import check_same
        from sefa_cli.rendering.report_folder import check_report_folder

        check_report_folder(self.report, overwrite)
        if self.dirs is None:
            return None
        bundle = Bundle.load(self.dirs)
        check_model(model, offline, partial(check_same, bundle))
        from sefa_cli.inversion.page import Edits

        return Edits(bundle, self.dirs)


def invert_command(
    photos: "Sequence[str]", model: str, output: str, how: "How", page: PageOptions
) -> str:
    """Return the command that makes a page again."""
    from sefa_cli.rendering.shell import shell_line

    chosen = {
        f"--{field.name}": value
        for field in fields(how)
        if (value := getattr(how, field.name)) != field.default
    }
    written = {"-o": output, "--report": page.report, "--dirs": page.dirs}
    return shell_line(["sefa", "invert", *photos], {"--model": model, **chosen, **written})
