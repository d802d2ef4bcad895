"""BigGAN (Brock et al., ICLR 2019): the author's, Hugging Face's and MMGeneration's."""

from typing import TYPE_CHECKING

from sefa_cli.families.family import Checkpoint, Dialect, Family, Layer, Reader, Tensors

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator


class BigGANFamily(Family):
    """A code for the linear layer and, if they see z, one for every conditional norm."""

    name = "biggan"
    dialects = (
        Dialect("huggingface", ("generator.gen_z.weight_orig", "embeddings.weight")),
        Dialect("ajbrock", ("shared.weight", "linear.weight", "blocks.0.0.conv1.weight")),
        Dialect(
            "mmgen",
            ("noise2feat.bias", "shared_embedding.weight", "conv_blocks.0.conv4.conv.bias"),
            "deep",
        ),
        Dialect(
            "mmgen",
            ("noise2feat.bias", "shared_embedding.weight", "conv_blocks.0.shortcut.conv.bias"),
        ),
        Dialect(  # labels that are not embedded
            "mmgen",
            (
                "noise2feat.bias",
                "conv_blocks.0.bn1.gain.weight",
                "conv_blocks.0.shortcut.conv.bias",
            ),
        ),
    )

    def reader(self, dialect: Dialect) -> Reader:
        """Return the dialect's rules and what reads them."""
        from sefa_cli.families.biggan.dialects import READERS

        return READERS[dialect.key]

    def projections(self, tensors: Tensors) -> list[Layer]:
        """Return the linear layer, then every conditional norm that sees z."""
        from sefa_cli.families.biggan.projections import projections

        return projections(tensors)

    def generator(self, checkpoint: Checkpoint) -> "Generator":
        """Return the network, its weights read."""
        from sefa_cli.families.biggan.network import BigGAN

        return BigGAN(checkpoint)


FAMILY = BigGANFamily()
