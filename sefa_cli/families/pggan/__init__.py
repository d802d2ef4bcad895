"""PGGAN (Karras et al., ICLR 2018), as six code bases write it."""

from typing import TYPE_CHECKING

from sefa_cli.families.family import Checkpoint, Dialect, Family, Layer, Tensors

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator


class PGGANFamily(Family):
    """One code, z, for the dense layer it enters."""

    name = "pggan"
    dialects = (
        Dialect("genforce", ("layer0.weight", "layer1.weight", "output0.weight")),
        Dialect("tensorflow", ("4x4/Dense/weight", "4x4/Conv/weight")),
        Dialect("dissection", ("layer1.conv.weight", "layer1.wscale.b")),
        Dialect("dissection", ("features.0.conv.weight", "features.0.wscale.b"), "old"),
        Dialect("gan-zoo", ("formatLayer.module.weight", "groupScale0.0.module.weight")),
        Dialect("gan-zoo", ("formatLayer.weight", "groupScale0.0.weight")),
        Dialect("mmgen", ("noise2feat.linear.weight_orig", "noise2feat.bias")),
    )

    def projections(self, tensors: Tensors) -> list[Layer]:
        """Return one layer: the dense one takes z to 4 × 4 pixels."""
        name = "synthesis.b4.dense"
        return [Layer(0, name, 4, "dense", tensors[f"{name}.weight"].kept(), None)]

    def generator(self, checkpoint: Checkpoint) -> "Generator":
        """Return the network, its weights read."""
        from sefa_cli.families.pggan.network import PGGAN

        return PGGAN(checkpoint)


FAMILY = PGGANFamily()
