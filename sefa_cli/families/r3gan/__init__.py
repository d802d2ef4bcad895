"""R3GAN (Huang et al., NeurIPS 2024): a learned basis times a linear map of z, then ResNet blocks.

Channel c starts as the 4 × 4 picture B_c (a_c · z), so the first projection has rows B_c[y, x] a_c.
`--no-normalize` maximizes Σ_c ‖B_c‖² (a_c · n)², the change of the features: the sensible choice.
The published default weighs all channels alike, whatever their basis: Σ_c 16 (a_c · n)² / ‖a_c‖².
"""

from typing import TYPE_CHECKING

from sefa_cli.families.family import Checkpoint, Dialect, Family, Layer, Tensors

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator

FIRST = "MainLayers.0.Layers.0"


class R3GANFamily(Family):
    """One code, z itself, for the first layer. An embedded label follows z."""

    name = "r3gan"
    dialects = (Dialect("brownvc", (f"{FIRST}.Basis", f"{FIRST}.LinearLayer.weight")),)

    def projections(self, tensors: Tensors) -> list[Layer]:
        """Return one layer: z to 4 × 4 pixels, rows by (channel, y, x), products in float32."""
        basis, linear = tensors[f"{FIRST}.Basis"], tensors[f"{FIRST}.LinearLayer.weight"]
        (channels, side, _), embedding = basis.shape, tensors.get("EmbeddingLayer.weight")
        z_dim, pixels = linear.shape[1] - (embedding.shape[0] if embedding else 0), side * side
        of_z = linear.then(
            lambda a: a[:, :z_dim].repeat(pixels, axis=0), (channels * pixels, z_dim)
        )
        rows = of_z.then(lambda a: a.astype("f4") * basis.float32().reshape(-1, 1))
        return [Layer(0, FIRST, side, "dense", rows.kept(), None)]

    def generator(self, checkpoint: Checkpoint) -> "Generator":
        """Return the network, its weights read."""
        from sefa_cli.families.r3gan.network import R3GAN

        return R3GAN(checkpoint)


FAMILY = R3GANFamily()
