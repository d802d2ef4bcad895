"""StyleGAN2 as lucidrains/stylegan2-pytorch computes it."""

from typing import TYPE_CHECKING

from sefa_cli.families.family import Checkpoint, Dialect, Family, Layer, Tensors

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator


class LucidrainsFamily(Family):
    """A code for every block."""

    name = "lucidrains"
    dialects = (Dialect("lucidrains", ("GE.blocks.0.to_style1.weight", "SE.net.0.weight")),)

    def projections(self, tensors: Tensors) -> list[Layer]:
        """Return conv1, conv2 and the to-RGB of every block; one code drives all three."""
        layers: list[Layer] = []
        block = 0
        while f"synthesis.blocks.{block}.conv1.affine.weight" in tensors:
            px, name = tensors["synthesis.const"].shape[-1] << block, f"synthesis.blocks.{block}"
            for part, kind in (("conv1", "conv"), ("conv2", "conv"), ("torgb", "torgb")):
                layers.append(Layer.affine(tensors, block, f"{name}.{part}", px, kind))
            block += 1
        return layers

    def generator(self, checkpoint: Checkpoint) -> "Generator":
        """Return the network, its weights read."""
        from sefa_cli.families.lucidrains.network import Lucidrains

        return Lucidrains(checkpoint)


FAMILY = LucidrainsFamily()
