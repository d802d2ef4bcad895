"""sefa: directions in a GAN's latent space, found from the weights and kept in a file.

In the examples, here and in all of `help()`, `tiny` is the file of a small StyleGAN2, and `np` is
NumPy. The name of any other model may stand there.

Example:
    >>> import sefa_cli as sefa
    >>> bundle = sefa.factorize(tiny, layers="0-4", deflate_gain=True)
    >>> bundle = bundle.name({0: "turn"})
    >>> generator = sefa.load_generator(tiny, device="cpu")
    >>> pictures = sefa.edit(bundle, {"turn": 3}, seeds=[0, 1], model=generator)
    >>> pictures[0].size  # a Pillow image; a notebook shows `pictures` as a sheet
    (32, 32)
    >>> w = generator.truncate(generator.map(generator.sample([0])), 0.7)
    >>> generator.synthesize(bundle.move(w, "turn", 3)).shape
    torch.Size([1, 3, 32, 32])
"""

# No import here: Ctrl-C is handled only after this module.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sefa_cli.allocator import keep_blocks
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.bundle.compare import Comparison, compare
    from sefa_cli.bundle.direction import Direction
    from sefa_cli.bundle.picking import mix, pick
    from sefa_cli.discovery.describe import Description, inspect
    from sefa_cli.discovery.factorize import factorize
    from sefa_cli.discovery.localize import localize
    from sefa_cli.discovery.regions.region import Region
    from sefa_cli.discovery.sampling import factorize_samples
    from sefa_cli.discovery.tensors import factorize_tensors
    from sefa_cli.editing.presets import Preset
    from sefa_cli.editing.source import load_generator
    from sefa_cli.editing.storyboard import Key, Storyboard
    from sefa_cli.errors import MismatchError, OfflineError, SefaError, UsageError
    from sefa_cli.evaluation.evaluate import evaluate
    from sefa_cli.evaluation.found import Evaluation
    from sefa_cli.evaluation.supervise import supervise
    from sefa_cli.inversion.found import Inversion
    from sefa_cli.inversion.invert import invert
    from sefa_cli.rendering.animation import SweepOptions, animate, sweep
    from sefa_cli.rendering.edits import Edits, edit, edit_preset
    from sefa_cli.rendering.film import Film, FilmOptions
    from sefa_cli.rendering.journeys import JourneyOptions, film, interpolate
    from sefa_cli.rendering.options import PictureOptions, RenderOptions
    from sefa_cli.rendering.samples import Samples, sample

__version__ = "0.1.0"

__all__ = [
    "Bundle",
    "Comparison",
    "Description",
    "Direction",
    "Edits",
    "Evaluation",
    "Film",
    "FilmOptions",
    "Inversion",
    "JourneyOptions",
    "Key",
    "MismatchError",
    "OfflineError",
    "PictureOptions",
    "Preset",
    "Region",
    "RenderOptions",
    "Samples",
    "SefaError",
    "Storyboard",
    "SweepOptions",
    "UsageError",
    "__version__",
    "animate",
    "compare",
    "edit",
    "edit_preset",
    "evaluate",
    "factorize",
    "factorize_samples",
    "factorize_tensors",
    "film",
    "inspect",
    "interpolate",
    "invert",
    "keep_blocks",
    "load_generator",
    "localize",
    "mix",
    "pick",
    "sample",
    "supervise",
    "sweep",
]

# Names are imported when they are first used: `sefa --help` needs no numpy, `inspect` no torch.
_HOME = {
    "Bundle": "bundle",
    "Comparison": "bundle.compare",
    "Description": "discovery.describe",
    "Direction": "bundle.direction",
    "Edits": "rendering.edits",
    "Evaluation": "evaluation.found",
    "Film": "rendering.film",
    "FilmOptions": "rendering.film",
    "Inversion": "inversion.found",
    "JourneyOptions": "rendering.journeys",
    "Key": "editing.storyboard",
    "MismatchError": "errors",
    "OfflineError": "errors",
    "Region": "discovery.regions.region",
    "PictureOptions": "rendering.options",
    "Preset": "editing.presets",
    "RenderOptions": "rendering.options",
    "Samples": "rendering.samples",
    "SefaError": "errors",
    "Storyboard": "editing.storyboard",
    "SweepOptions": "rendering.animation",
    "UsageError": "errors",
    "animate": "rendering.animation",
    "compare": "bundle.compare",
    "edit": "rendering.edits",
    "edit_preset": "rendering.edits",
    "evaluate": "evaluation.evaluate",
    "factorize": "discovery.factorize",
    "factorize_samples": "discovery.sampling",
    "factorize_tensors": "discovery.tensors",
    "film": "rendering.journeys",
    "inspect": "discovery.describe",
    "interpolate": "rendering.journeys",
    "invert": "inversion.invert",
    "keep_blocks": "allocator",
    "load_generator": "editing.source",
    "localize": "discovery.localize",
    "mix": "bundle.picking",
    "pick": "bundle.picking",
    "sample": "rendering.samples",
    "supervise": "evaluation.supervise",
    "sweep": "rendering.animation",
}


def __getattr__(name: str) -> "Any":
    if name not in _HOME:
        raise AttributeError(f"module 'sefa_cli' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"sefa_cli.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    """Return the public names, for completion."""
    return __all__
