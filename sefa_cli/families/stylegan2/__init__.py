"""StyleGAN2 (Karras et al., CVPR 2020), as seven code bases write it."""

import re
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


class StyleGAN2Family(Family):
    """A code for every convolution and one for the last to-RGB."""

    name = "stylegan2"
    dialects = (
        Dialect("nvidia", ("synthesis.b4.const", "mapping.fc0.weight")),
        Dialect("rosinality", ("input.input", "style.1.weight", "conv1.conv.modulation.weight")),
        Dialect(
            "basicsr",
            ("constant_input.weight", "style_mlp.1.weight", "style_conv1.modulated_conv.weight"),
        ),
        Dialect(
            "mmgen",
            ("style_mapping.1.linear.weight_orig", "conv1.conv.weight_orig", "to_rgb1.bias"),
        ),
        Dialect(
            "genforce",
            ("synthesis.early_layer.const", "synthesis.layer0.style.weight", "truncation.w_avg"),
        ),
        Dialect(
            "hammer", ("synthesis.early_layer.const", "synthesis.layer0.style.weight", "w_avg")
        ),
        Dialect("tensorflow", ("synthesis/4x4/Const/const", "synthesis/4x4/Conv/mod_weight")),
    )

    def reader(self, dialect: Dialect) -> Reader:
        """Return the dialect's rules and what reads them."""
        from sefa_cli.families.stylegan2 import dialects, tensorflow

        of = dialects if dialect.key in dialects.RULES else tensorflow
        return Reader(of.RULES[dialect.key], of.read)

    def projections(self, tensors: Tensors) -> list[Layer]:
        """Return conv0 (from 8 px on), conv1 and the to-RGB of every block.

        A to-RGB shares the code of the convolution after it.
        """
        found = (
            re.fullmatch(r"synthesis\.b(\d+)\.conv1\.affine\.weight", name) for name in tensors
        )
        layers, index = [], 0
        for px in sorted(int(match[1]) for match in found if match):
            block = f"synthesis.b{px}"
            for conv in ("conv0", "conv1"):
                if f"{block}.{conv}.affine.weight" in tensors:
                    layers.append(Layer.affine(tensors, index, f"{block}.{conv}", px, "conv"))
                    index += 1
            if f"{block}.torgb.affine.weight" in tensors:
                layers.append(Layer.affine(tensors, index, f"{block}.torgb", px, "torgb"))
        return layers

    def levels(self, resolutions: Mapping[int, int]) -> tuple[list[int], list[int]]:
        """Return the paper's levels: 0-1, 2-5 and the rest."""
        return paper_levels(resolutions)

    def generator(self, checkpoint: Checkpoint) -> "Generator":
        """Return the network, its weights read."""
        from sefa_cli.families.stylegan2.network import StyleGAN2
        from sefa_cli.families.stylegan2.tangent import StyleGAN2Chain

        return StyleGAN2(checkpoint).with_chain(StyleGAN2Chain)


FAMILY = StyleGAN2Family()
