"""`sefa sample`: the unedited pictures of some seeds, to choose from."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sefa_cli.commands import checks, options
from sefa_cli.commands.console import wrote
from sefa_cli.commands.picture_options import Look, render_options
from sefa_cli.commands.pictures import write_pictures
from sefa_cli.commands.shares import Shares

if TYPE_CHECKING:
    from sefa_cli.rendering.samples import Samples


def sample(
    model: options.Model,
    look: Look,
    shares: Shares,
    codes: options.Codes = None,
    mix_from: options.MixFrom = None,
    seeds: Annotated[str | None, options.seeds("0-31")] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE|DIR|-",
            help="A file (.png, .jpg, .webp) gets a sheet with the seed numbers, a folder one "
            "picture each, - is standard output. Default: sample.png here.",
        ),
    ] = None,
    overwrite: options.Overwrite = False,
    show: options.Show = False,
) -> None:
    """Show the unedited pictures of some seeds, with their numbers.

    In a sheet pictures have at most 256 pixels unless you give --size. A folder gets full pictures.
    """
    from sefa_cli.checkpoints import open_checkpoint
    from sefa_cli.commands.showing import Showing
    from sefa_cli.projections import model_card
    from sefa_cli.rendering.outputs import picture_target
    from sefa_cli.rendering.samples import sample as sampled

    how = render_options(seeds, look)
    how["codes"], how["mix_from"] = codes, mix_from
    checkpoint = open_checkpoint(model, offline=look.offline)
    config = checkpoint.config
    checks.check_codes(codes, seeds, look, config.space, config)
    checks.check_class(look.class_label, config.c_dim, codes is None)
    card = model_card(checkpoint)
    checks.check_for_model(card, None, look)
    checks.check_mix(mix_from, config)
    target = picture_target(output, "sample", overwrite)
    target, own = shares.of_pictures(target, look.places, show)
    asked = str(how.get("seeds", "0-31"))
    if own is not None and codes is None:
        own.share(checks.check_seeds(asked))
    if shares.on is not None:
        from sefa_cli.commands import on_cluster

        items = on_cluster.seeds_or_codes(asked, codes, config)
        on_cluster.fill(shares, items, Path(target.path), look.device, overwrite)
        return

    def make() -> "Samples":
        made = sampled(model, **how)
        return made if own is None else replace(made, scene=made.scene.shared(own))

    showing = Showing.of(show)
    for path in write_pictures(make, target, showing, "sampling", model):
        wrote(path)
    showing.show(target.path)
