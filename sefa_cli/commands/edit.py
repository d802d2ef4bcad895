"""`sefa edit`: pictures before and after a move along directions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands import checks, options
from sefa_cli.commands.console import wrote
from sefa_cli.commands.photos import Photos, start_from_photos
from sefa_cli.commands.picture_options import BundleFile, Look, Start, picture_options
from sefa_cli.commands.pictures import write_pictures
from sefa_cli.commands.shares import Shares
from sefa_cli.errors import UsageError

if TYPE_CHECKING:
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.parts import Shard
    from sefa_cli.rendering.edits import Edits
    from sefa_cli.rendering.gallery import Pictures
    from sefa_cli.rendering.options import PictureOptions

_SEEDS = "0-4"


def edit(
    bundle_file: BundleFile,
    *,
    k: Annotated[
        list[str] | None,
        typer.Option(
            "--k",
            "-k",
            metavar="K",
            help="A direction: an index, a label, or -1 for the last. 0-2,smile makes a row for "
            "each, all takes every direction. Repeated pairs of --k and --alpha make one move.",
        ),
    ] = None,
    start: Start,
    look: Look,
    photos: Photos,
    shares: Shares,
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
    seeds: Annotated[str | None, options.seeds(_SEEDS)] = None,
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
    preset: Annotated[
        str | None,
        typer.Option(
            "--preset",
            metavar="FILE.toml",
            help="Make the moves of this file instead of --k and --alpha. It names its "
            "bundles; one that you name takes the place of the last.",
        ),
    ] = None,
    save_preset: Annotated[
        str | None,
        typer.Option(
            "--save-preset", metavar="FILE.toml", help="Also keep the move, for --preset."
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
    A folder gets full pictures with names such as seed0003_k3_+2.00.png. --preset needs no bundle.
    """
    from sefa_cli.commands.showing import Showing
    from sefa_cli.files import check_writable
    from sefa_cli.rendering.edits import Edits
    from sefa_cli.rendering.outputs import picture_target

    wish = _wish(bundle_file, k, alpha, preset, save_preset, start)
    how = picture_options(wish.dirs, wish.bundle, seeds, start, look)
    extra = {
        file: suffix for file, suffix in ((save_codes, ".npz"), (save_preset, ".toml")) if file
    }
    for file, suffix in extra.items():
        check_writable(file, overwrite, [suffix])
    target = picture_target(output, wish.name, overwrite)
    target, own = shares.of_pictures(target, look.places, show)
    alone = {"save_codes": save_codes, "save_preset": save_preset, "photo": photos.photo}
    _check_together(shares, own, how, photos.tune, alone)
    if paste:
        photos.check_paste(wish.count, target.is_folder)
    showing = Showing.of(show)

    def keep(edits: "Pictures") -> None:
        assert isinstance(edits, Edits)
        if save_codes:
            edits.save_codes(save_codes, overwrite)
        if save_preset:
            edits.preset(Path(save_preset).stem, wish.dirs).save(save_preset, overwrite)

    check_photos = start_from_photos(wish.bundle, photos, how)
    if shares.on is not None:
        _share_out(shares, how, wish.bundle, Path(target.path), overwrite)
        return
    ref = start.model or str(wish.bundle.model["ref"])

    def make() -> Edits:
        edits = wish.edits(how, own)
        return photos.pasted(edits, how) if paste else edits

    for path in write_pictures(make, target, showing, "editing", ref, keep):
        wrote(path)
    for file in extra:
        wrote(file)
    showing.show(target.path)
    check_photos()


def _check_together(
    shares: Shares,
    own: "Shard | None",
    how: "PictureOptions",
    tune: bool,
    alone: Mapping[str, object],
) -> None:
    """Raise UsageError for what only one run can do, and for more shards than seeds."""
    if alone["save_codes"] and tune:
        raise UsageError(
            "--save-codes and --tune cannot be used together",
            "`sefa invert --tune`, which writes both the codes and their model",
        )
    if own is None:
        return
    for name in (name for name, value in alone.items() if value):
        option = "--" + name.replace("_", "-")
        raise UsageError(f"{shares.option} and {option} cannot be used together")
    if how["codes"] is None:
        own.share(checks.check_seeds(str(how.get("seeds", _SEEDS))))


def _share_out(
    shares: Shares, how: "PictureOptions", bundle: "Bundle", folder: Path, overwrite: bool
) -> None:
    """Make all pictures on a cluster."""
    from sefa_cli.commands import on_cluster

    items = on_cluster.items_of({"seeds": _SEEDS, **how}, bundle)
    on_cluster.fill(shares, items, folder, how["device"], overwrite)


@dataclass(frozen=True)
class _Wish:
    """An edit, its options read and checked."""

    dirs: str
    bundle: "Bundle"
    name: str  # of the output, if none was given
    count: int  # of moves
    make: "Callable[[PictureOptions], Edits]"

    def edits(self, how: "PictureOptions", own: "Shard | None") -> "Edits":
        """Return the pictures of a share of the codes, or of all."""
        made = self.make(how)
        return made if own is None else replace(made, scene=made.scene.shared(own))


def _wish(
    bundle_file: BundleFile,
    k: list[str] | None,
    alpha: list[str] | None,
    preset: str | None,
    save_preset: str | None,
    start: Start,
) -> _Wish:
    """Read the bundle and the moves. Raises SefaError for those that are not valid."""
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.editing.moves import name_of, parse_moves
    from sefa_cli.rendering.edits import edit as edited
    from sefa_cli.rendering.edits import edit_preset

    if preset is None:
        dirs = bundle_file.path
        bundle = Bundle.load(dirs)
        table = parse_moves(bundle, k or [], alpha or [])
        moves = sum(map(len, table))
        if save_preset and moves > 1:
            raise UsageError(f"--save-preset with {moves} moves", "one move, such as -k 3 -a 2")
        if save_preset and start.mix_from:
            raise UsageError(
                "--save-preset and --mix-from cannot be used together: a preset holds moves, not "
                "styles"
            )
        if save_preset and dirs == "-":
            raise UsageError("--save-preset with a bundle from stdin", "a file: presets name it")
        name = f"{options.stem(dirs)}_{name_of(table)}"
        return _Wish(dirs, bundle, name, moves, lambda how: edited(bundle, table, **how))
    given = {"--k": k, "--alpha": alpha, "--layers": start.layers, "--save-preset": save_preset}
    for option, value in given.items():
        if value is not None:
            raise UsageError(f"{option} and --preset cannot be used together")
    from sefa_cli.editing.presets import Preset

    own = Preset.load(preset, bundle_file.path if bundle_file.is_named else None)
    last = own.parts[-1]
    return _Wish(last.file, last.bundle, Path(preset).stem, 1, lambda how: edit_preset(own, **how))
