"""A family for sefa: generators of one dense layer and a few up-sampling convolutions."""

from sefa_cli.families.family import Config, Family, Layer, Model


class TinyConv(Family):
    """What sefa asks about these generators."""

    name = "tinyconv"

    def recognize(self, state):
        """Return the model in a state dict of ours, None for any other."""
        if not {"dense.weight", "convs.0.weight"} <= state.leaves.keys():
            return None
        convs, z_dim = len(state.tensors) - 1, state.tensors["dense.weight"].shape[1]
        sizes = {"resolution": 4 << convs, "img_channels": 3, "z_dim": z_dim, "w_dim": z_dim}
        config = Config({**sizes, "c_dim": 0, "num_layers": 1, "space": "z"})
        return Model("tinyconv", config, state.tensors)

    def projections(self, tensors):
        """Return the one matrix that z meets first: (16 channels, z_dim), applied at 4 px."""
        return [Layer(0, "dense", 4, "dense", tensors["dense.weight"], None)]

    def generator(self, checkpoint):
        """Return the network, imported only now: `sefa factorize` needs no torch."""
        from .network import TinyConvGenerator

        return TinyConvGenerator(checkpoint)


FAMILY = TinyConv()
