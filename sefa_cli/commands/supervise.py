"""`sefa supervise`: directions of attributes that a scorer measures, written as a bundle."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from sefa_cli.commands import checks, options
from sefa_cli.commands.console import working, wrote
from sefa_cli.commands.found import tell_accuracy
from sefa_cli.commands.shares import Shares
from sefa_cli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.containers.checkpoint import Checkpoint


def supervise(
    model: options.Model,
    *,
    attribute: Annotated[
        str,
        typer.Option(
            "--attribute",
            metavar="NAMES",
            help="What a scorer measures, such as smile; or several, such as smile,yaw.",
        ),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="OUT.dirs", help="The bundle to write.")
    ],
    layers: Annotated[
        str,
        typer.Option(
            "--layers",
            "-L",
            metavar="RANGE",
            help="The layers that move: all, bottom, middle, top, or code indices such as 0-4.",
        ),
    ] = "all",
    seeds: Annotated[str | None, options.seeds("0-999")] = None,
    share: Annotated[
        float,
        typer.Option(
            metavar="X", help="Share of the samples in each class: the highest and lowest scores."
        ),
    ] = 0.1,
    condition: Annotated[
        str | None,
        typer.Option(
            metavar="X.dirs", help="Project these directions out, so that what they change stays."
        ),
    ] = None,
    scorers: Annotated[
        str | None,
        typer.Option(
            metavar="NAMES",
            help="What measures the pictures, as for `sefa evaluate`. Default: colors, and face "
            "if sefa-cli[eval] is installed.",
        ),
    ] = None,
    scores: Annotated[
        str | None,
        typer.Option(
            metavar="FILE.npz",
            help="Keep the scores here, to go on after an interrupt, with more seeds, or with "
            "other attributes.",
        ),
    ] = None,
    shares: Shares,
    trunc: options.Trunc = None,
    class_label: options.ClassLabel = None,
    device: options.Device = "auto",
    overwrite: options.Overwrite = False,
    offline: options.Offline = None,
) -> None:
    """Find the direction of an attribute, such as the smile, from scored samples (InterFaceGAN).

    The picture of every seed is scored. A linear boundary separates the highest scores from the
    lowest, and the direction crosses it. Scores of faces need sefa-cli[eval].
    """
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.editing.sum import check_truncation
    from sefa_cli.evaluation.asked import check_classes, check_condition, named_attributes
    from sefa_cli.evaluation.kept_scores import about_samples, check_scores
    from sefa_cli.evaluation.scorers import check_measured
    from sefa_cli.files import BUNDLES, check_writable
    from sefa_cli.projections import parse_layers

    check_writable(output, overwrite, BUNDLES)
    seeds = "0-999" if seeds is None else seeds
    attributes = named_attributes(attribute)
    check_classes(checks.check_seeds(seeds), share)
    checks.check_device(device)
    other = None if condition is None else Bundle.load(condition)
    check_measured(attributes, scorers)
    check_truncation(trunc, "--trunc")

    def check(checkpoint: "Checkpoint") -> None:
        checks.check_class(class_label, checkpoint.config["c_dim"], needed=True)
        parse_layers(checkpoint, layers)
        if other is not None:
            check_condition(other, checkpoint)
        if scores is not None:
            check_scores(scores, about_samples(checkpoint, trunc, class_label, scorers))

    checks.check_model(model, offline, check)
    asked: dict[str, Any] = {
        "model": model,
        "attributes": list(attributes),
        "layers": layers,
        "seeds": seeds,
        "share": share,
        "scorers": scorers,
        "truncation": trunc,
        "label": class_label,
    }
    local: dict[str, Any] = {"device": device, "offline": offline}
    if _is_shared_out(shares, output, other, asked, local, scores, overwrite):
        return
    with working(f"loading {model}") as work:
        from sefa_cli.allocator import keep_blocks
        from sefa_cli.evaluation.supervise import supervise as run

        keep_blocks()
        advice = "" if scores is None else "an interrupted run goes on where it stopped"
        bundle = run(
            **asked,
            **local,
            condition=other,
            scores=scores,
            begin=lambda total: work.begin("scoring", total, "pictures", advice),
        )
    tell_accuracy(bundle)
    bundle.save(output, overwrite)
    wrote(output)


def _is_shared_out(
    shares: Shares,
    output: str,
    condition: "Bundle | None",
    asked: "Mapping[str, Any]",
    local: "Mapping[str, Any]",
    scores: str | None,
    overwrite: bool,
) -> bool:
    """Score a share of the samples, or all on a cluster; return False if none is asked for."""
    from sefa_cli.files import check_writable

    own = shares.own()
    if own is None:
        return False
    if scores is not None:
        raise UsageError(f"{shares.option} and --scores cannot be used together")
    check_writable(own.path(output), overwrite or shares.resume)
    own.share(checks.check_seeds(asked["seeds"]))
    if shares.on is not None:
        from sefa_cli.commands import on_cluster

        items = on_cluster.seeds_or_codes(asked["seeds"], None, {})
        on_cluster.merge(shares, output, items, local["device"], overwrite)
        return True
    from sefa_cli.checkpoints import open_checkpoint
    from sefa_cli.evaluation.score_parts import scores_job, scores_part

    with working(f"loading {asked['model']}") as work:
        checkpoint = open_checkpoint(asked["model"], offline=local["offline"])
        job = scores_job(checkpoint, condition, asked)
        if shares.resume and not overwrite and options.is_done(own, output, lambda: job):
            return True
        begin = lambda total: work.begin("scoring", total, "pictures")  # noqa: E731
        part = scores_part(checkpoint, own, condition, asked, local, begin)
    part.save(own.path(output), overwrite)
    wrote(own.path(output))
    return True
