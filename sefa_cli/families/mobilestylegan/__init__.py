"""MobileStyleGAN (Belousov, 2021): a small StyleGAN2 student, published as OpenVINO IR."""

from pathlib import Path
from typing import TYPE_CHECKING

from sefa_cli.families.family import Checkpoint, Family, Layer, Model, Tensors

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator


class MobileStyleGANFamily(Family):
    """Codes in order of execution: stem, then up, conv1, conv2 of each block, then to-image."""

    name = "mobilestylegan"
    demodulates = False  # a constant, folded into the weights, took its place
    subject = "face"  # the one published network was trained on FFHQ

    def read_path(self, path: Path) -> tuple[str, Model] | None:
        """Return the networks in an OpenVINO IR: XML, or a folder, zip or wheel that holds one."""
        from sefa_cli.families.mobilestylegan import openvino

        return ("OpenVINO IR", openvino.read(path)) if openvino.is_ir(path) else None

    def projections(self, tensors: Tensors) -> list[Layer]:
        """Return the stem, then up (a gain before the Haar step), conv1, conv2; the to-RGB last."""
        layers = [Layer.affine(tensors, 0, "synthesis.conv1", 4, "conv")]
        block = 0
        while f"synthesis.layers.{block}.up.affine.weight" in tensors:
            for part, kind, px in (("up", "up", 4), ("conv1", "conv", 8), ("conv2", "conv", 8)):
                name = f"synthesis.layers.{block}.{part}"
                layers.append(Layer.affine(tensors, len(layers), name, px << block, kind))
            block += 1
        last = Layer.affine(tensors, len(layers), "synthesis.to_img", 4 << block, "torgb")
        return [*layers, last]

    def generator(self, checkpoint: Checkpoint) -> "Generator":
        """Return the network, its weights read."""
        from sefa_cli.families.mobilestylegan.network import MobileStyleGAN
        from sefa_cli.families.mobilestylegan.tangent import MobileChain

        return MobileStyleGAN(checkpoint).with_chain(MobileChain)


FAMILY = MobileStyleGANFamily()
