"""`sefa edit`: pictures before and after a move along directions."""

from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands import options
from sefa_cli.commands.console import wrote
from sefa_cli.commands.photos import Photos, start_from_photos
from sefa_cli.commands.picture_options import BundleFile, Look, Start, picture_options
from sefa_cli.commands.pictures import write_pictures

if TYPE_CHECKING:
    from sefa_cli.rendering.gallery import Pictures


def edit(
    bundle_file: BundleFile,
    k: Annotated[
        list[str],
        typer.Option(
            "--k",
            "-k",
            metavar="K",
            help="A direction: an index, a label, or -1 for the last. 0-2,smile makes a row for "
            "each, all takes every direction. Repeated pairs of --k and --alpha make one move.",
        ),
    ],
    start: Start,
    look: Look,
    photos: Photos,
    alpha: Annotated[
        list[str] | None,
        typer.Option(
            "--alpha",
            "--range",
            "-a",
            metavar="A",
            help="How far to move, in units of the latent. -4,-2,2,4 makes a column for each; "
            "-3:3 means -3,-2,-1,1,2,3. Default: auto, -2, -1, 1 and 2 of the steps that "
            "`sefa inspect` shows.",
        ),
    ] = None,
    seeds: Annotated[str | None, options.seeds("0-4")] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|DIR|-",
            help="A file (.png, .jpg, .webp) gets a sheet of all pictures before and after, a "
            "folder one picture each, - is standard output. Default: a sheet with an automatic "
            "name, here.",
        ),
    ] = None,
    save_codes: Annotated[
        str | None,
        typer.Option("--save-codes", metavar="FILE.npz", help="Also write the moved codes."),
    ] = None,
    paste: Annotated[
        bool,
        typer.Option(
            "--paste",
            help="Put the edited face back into its whole photo. Needs --photo and --align, and "
            "-o DIR for several pictures.",
        ),
    ] = False,
    overwrite: options.Overwrite = False,
    show: options.Show = False,
) -> None:
    """Move codes along directions of a bundle and show the pictures.

    The bundle knows its model. In a sheet pictures have at most 512 pixels unless you give --size.
    A folder gets full pictures with names such as seed0003_k3_+2.00.png.
    """
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.commands.showing import Showing
    from sefa_cli.editing.moves import name_of, parse_moves
    from sefa_cli.files import check_writable
    from sefa_cli.rendering.edits import Edits
    from sefa_cli.rendering.edits import edit as edited
    from sefa_cli.rendering.outputs import picture_target

    dirs = bundle_file.path
    bundle = Bundle.load(dirs)
    table = parse_moves(bundle, k, alpha or [])
    how = picture_options(dirs, bundle, seeds, start, look)
    if save_codes:
        check_writable(save_codes, overwrite, [".npz"])
    target = picture_target(output, f"{options.stem(dirs)}_{name_of(table)}", overwrite)
    if paste:
        photos.check_paste(sum(map(len, table)), target.is_folder)
    showing = Showing.of(show)

    def keep_codes(edits: "Pictures") -> None:
        if save_codes and isinstance(edits, Edits):
            edits.save_codes(save_codes, overwrite)

    check_photos = start_from_photos(bundle, photos, how)
    ref = start.model or str(bundle.model["ref"])

    def make() -> Edits:
        edits = edited(bundle, table, **how)
        return photos.pasted(edits, how) if paste else edits

    for path in write_pictures(make, target, showing, "editing", ref, keep_codes):
        wrote(path)
    if save_codes:
        wrote(save_codes)
    showing.show(target.path)
    check_photos()
