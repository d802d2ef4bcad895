"""DCGAN (Radford et al., ICLR 2016): z goes through transposed convolutions alone."""

from typing import TYPE_CHECKING

from sefa_cli.families.family import Checkpoint, Dialect, Family, Layer, Tensors

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator


class DCGANFamily(Family):
    """One code, z itself, for the first transposed convolution."""

    name = "dcgan"
    dialects = (Dialect("pytorch-example", ("main.0.weight", "main.1.running_mean")),)

    def projections(self, tensors: Tensors) -> list[Layer]:
        """Return one layer: the first transposed convolution takes z to k × k pixels."""
        kernel = tensors["main.0.weight"]
        z_dim, outputs, side, _ = kernel.shape
        matrix = kernel.then(lambda k: k.reshape(z_dim, -1).T, (outputs * side * side, z_dim))
        return [Layer(0, "main.0", side, "dense", matrix.kept(), None)]

    def generator(self, checkpoint: Checkpoint) -> "Generator":
        """Return the network, its weights read."""
        from sefa_cli.families.dcgan.network import DCGAN

        return DCGAN(checkpoint)


FAMILY = DCGANFamily()
