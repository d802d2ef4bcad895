"""From a checkpoint to a generator that makes pictures: one class, and one file, per family."""

from sefa_cli.containers.checkpoint import Checkpoint
from sefa_cli.errors import SefaError
from sefa_cli.families.biggan.network import BigGAN
from sefa_cli.families.dcgan.network import DCGAN
from sefa_cli.families.lucidrains.network import Lucidrains
from sefa_cli.families.mobilestylegan.network import MobileStyleGAN
from sefa_cli.families.pggan.network import PGGAN
from sefa_cli.families.stylegan.network import StyleGAN
from sefa_cli.families.stylegan2.network import StyleGAN2
from sefa_cli.families.stylegan3.network import StyleGAN3
from sefa_cli.generators.base import Generator
from sefa_cli.generators.inputs import pick_device

FAMILIES: dict[str, type[Generator]] = {
    "biggan": BigGAN,
    "dcgan": DCGAN,
    "lucidrains": Lucidrains,
    "mobilestylegan": MobileStyleGAN,
    "pggan": PGGAN,
    "stylegan": StyleGAN,
    "stylegan2": StyleGAN2,
    "stylegan3": StyleGAN3,
}


def build(checkpoint: Checkpoint, device: str = "auto") -> Generator:
    """The generator of a checkpoint, its weights read and on `device`.

    `device` is `auto` (CUDA, else MPS, else the CPU) or a device's name. Raises SefaError for a
    family that is not known, a device that is not there, tensors that are missing or misshapen.
    """
    where = pick_device(device)
    family = FAMILIES.get(checkpoint.family)
    generator = _of_plugin(checkpoint) if family is None else family(checkpoint)
    return generator.eval().to(where)


def _of_plugin(checkpoint: Checkpoint) -> Generator:
    """The generator of a family that is not built in."""
    from sefa_cli.families import plugins

    plugin = plugins.find(checkpoint.family)
    if plugin is None:
        raise SefaError(
            f"{checkpoint.ref} is of the family {checkpoint.family!r}",
            "one of " + ", ".join(sorted(FAMILIES)),
            "A plug-in may bring another.",
        )
    with plugins.blamed(plugin):
        generator = plugin.generator(checkpoint)
        if not isinstance(generator, Generator):
            raise TypeError(f"generator() gave a {type(generator).__name__}")
    return generator
