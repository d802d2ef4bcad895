"""sefa: directions in a GAN's latent space, found from the weights and kept in a file.

>>> import sefa_cli as sefa
>>> bundle = sefa.factorize("mobilestylegan_ffhq", layers="0-4", deflate_gain=True)
>>> generator = sefa.load_generator("mobilestylegan_ffhq")
>>> w = generator.truncate(generator.map(generator.sample([0])), 0.7)      # (1, 23, 512)
>>> w[:, list(bundle.layers)] += 3 * torch.tensor(bundle.directions[0])    # turn the head
>>> picture = generator.synthesize(w)                                      # (1, 3, 1024, 1024)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sefa_cli.allocator import keep_blocks
    from sefa_cli.bundle.bundle import Bundle
    from sefa_cli.discovery.factorize import factorize
    from sefa_cli.discovery.localize import localize
    from sefa_cli.discovery.regions.region import Region
    from sefa_cli.editing.source import load_generator
    from sefa_cli.errors import MismatchError, OfflineError, SefaError, UsageError

__version__ = "0.1.0"

__all__ = [
    "Bundle",
    "MismatchError",
    "OfflineError",
    "Region",
    "SefaError",
    "UsageError",
    "__version__",
    "factorize",
    "keep_blocks",
    "load_generator",
    "localize",
]

# Names are imported when they are first used: `sefa --help` needs no numpy, `inspect` no torch.
_HOME = {
    "Bundle": "bundle",
    "MismatchError": "errors",
    "OfflineError": "errors",
    "Region": "discovery.regions.region",
    "SefaError": "errors",
    "UsageError": "errors",
    "factorize": "discovery.factorize",
    "keep_blocks": "allocator",
    "load_generator": "editing.source",
    "localize": "discovery.localize",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'sefa_cli' has no attribute {name!r}")
    return getattr(import_module(f"sefa_cli.{_HOME[name]}"), name)
