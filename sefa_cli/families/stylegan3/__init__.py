"""StyleGAN3 (Karras et al., NeurIPS 2021), T and R, and StyleGAN-XL's layers."""

from typing import TYPE_CHECKING

from sefa_cli.families.family import Checkpoint, Dialect, Family, Layer, Tensors

if TYPE_CHECKING:
    from sefa_cli.generators.base import Generator


class StyleGAN3Family(Family):
    """A code for the input layer and one for every layer after it."""

    name = "stylegan3"
    places = True
    dialects = (
        Dialect("nvidia", ("synthesis.input.freqs", "mapping.fc0.weight")),
        Dialect("mmgen", ("synthesis.input.freqs", "style_mapping.fc0.weight")),
        Dialect("hammer", ("synthesis.early_layer.frequency", "synthesis.layer0.conv.weight")),
    )

    def projections(self, tensors: Tensors) -> list[Layer]:
        """Return the input's affine (cosine, sine, x, y), then every layer; to-RGB last."""
        from sefa_cli.families.stylegan3.geometry import layer_names, sampling_rates

        names, rates = layer_names(tensors), sampling_rates(tensors)
        if not names:
            return []
        layers = [Layer.affine(tensors, 0, "synthesis.input", rates[0], "input")]
        for index, (name, px) in enumerate(zip(names, rates[1:], strict=True), start=1):
            kind = "torgb" if index == len(names) else "conv"
            layers.append(Layer.affine(tensors, index, f"synthesis.{name}", px, kind))
        return layers

    def generator(self, checkpoint: Checkpoint) -> "Generator":
        """Return the network, its weights read."""
        from sefa_cli.families.stylegan3.network import StyleGAN3

        return StyleGAN3(checkpoint)


FAMILY = StyleGAN3Family()
