"""StyleGAN (Karras et al., CVPR 2019), as NVIDIA, genforce and three ports write it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sefa_cli.families.family import (
    Checkpoint,
    Dialect,
    Family,
    Layer,
    Reader,
    Tensors,
    paper_levels,
)

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator


class StyleGANFamily(Family):
    """Two codes a block: for what conv0 gives (the constant in the first), and conv1."""

    name = "stylegan"
    dialects = (
        Dialect(
            "genforce",
            ("synthesis.layer0.const", "synthesis.layer0.style.weight", "mapping.dense0.weight"),
        ),
        Dialect("tensorflow", ("synthesis/4x4/Const/const", "synthesis/4x4/Conv/StyleMod/weight")),
        Dialect(
            "mmgen",
            ("style_mapping.1.linear.weight_orig", "convs.0.adain1.affine.weight_orig"),
        ),
        Dialect(
            "rosinality", ("generator.progression.0.conv1.input", "style.1.linear.weight_orig")
        ),
        Dialect("gan-zoo", ("baseScale0", "adain00.styleModulator.weight")),
        Dialect("gan-zoo", ("baseScale0", "adain00.styleModulator.module.weight")),
    )

    def reader(self, dialect: Dialect) -> Reader:
        """Return the dialect's rules and what reads them."""
        from sefa_cli.families.stylegan import dialects, ports

        of = dialects if dialect.key in dialects.RULES else ports
        return Reader(of.RULES[dialect.key], of.read)

    def projections(self, tensors: Tensors) -> list[Layer]:
        """Return the styles after conv0 (in the first block: of the constant) and after conv1."""
        layers: list[Layer] = []
        while f"synthesis.b{4 << len(layers) // 2}.conv1.affine.weight" in tensors:
            px = 4 << len(layers) // 2
            for conv in ("conv0", "conv1"):
                name = f"synthesis.b{px}.{conv}"
                layers.append(Layer.affine(tensors, len(layers), name, px, "conv"))
        return layers

    def levels(self, resolutions: Mapping[int, int]) -> tuple[list[int], list[int]]:
        """Return the paper's levels: 0-1, 2-5 and the rest."""
        return paper_levels(resolutions)

    def generator(self, checkpoint: Checkpoint) -> "Generator":
        """Return the network, its weights read."""
        from sefa_cli.families.stylegan.network import StyleGAN
        from sefa_cli.families.stylegan.tangent import StyleGANChain

        return StyleGAN(checkpoint).with_chain(StyleGANChain)


FAMILY = StyleGANFamily()
