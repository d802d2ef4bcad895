"""R3GAN (Huang et al., NeurIPS 2024): a learned basis times a linear map of z, then ResNet blocks.

The first layer gives channel c the 4 × 4 picture B_c (a_c · z), so its matrix has the rows
B_c[y, x] a_c. Without row normalization (`--no-normalize`) SeFa maximizes Σ_c ‖B_c‖² (a_c · n)²,
the change of the features: the sensible choice here. With it, the published default, all channels
weigh the same, however strong their basis is: Σ_c 16 (a_c · n)² / ‖a_c‖².
"""

from typing import TYPE_CHECKING

from sefa_cli.families.family import Checkpoint, Dialect, Family, Layer, Tensors

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator

FIRST = "MainLayers.0.Layers.0"


class R3GANFamily(Family):
    """One code, z itself, for the first layer. A label is embedded and put behind z."""

    name = "r3gan"
    dialects = (Dialect("brownvc", (f"{FIRST}.Basis", f"{FIRST}.LinearLayer.weight")),)

    def projections(self, tensors: Tensors) -> list[Layer]:
        """Return one layer: z to 4 × 4 pixels, rows by (channel, y, x), products in float32."""
        basis, linear = tensors[f"{FIRST}.Basis"], tensors[f"{FIRST}.LinearLayer.weight"]
        embedding = tensors.get("EmbeddingLayer.weight")
        channels, side, _ = basis.shape
        z_dim = linear.shape[1] - (0 if embedding is None else embedding.shape[0])
        rows = basis.then(
            lambda b: (
                b.astype("f4").reshape(-1, 1)
                * linear.float32()[:, :z_dim].repeat(side * side, axis=0)
            ),
            (channels * side * side, z_dim),
        )
        return [Layer(0, FIRST, side, "dense", rows.kept(), None)]

    def generator(self, checkpoint: Checkpoint) -> "Generator":
        """Return the network, its weights read."""
        from sefa_cli.families.r3gan.network import R3GAN

        return R3GAN(checkpoint)


FAMILY = R3GANFamily()
