"""A plug-in for sefa: generators of one dense layer and a few up-sampling convolutions."""

from sefa_cli.projections import Layer

FAMILY = "tinyconv"


def recognize(tensors):
    """Configuration and tensors of a state dict of ours; None for any other."""
    if not {"dense.weight", "convs.0.weight"} <= tensors.keys():
        return None
    z_dim, convs = tensors["dense.weight"].shape[1], sum(n.startswith("convs.") for n in tensors)
    sizes = {"resolution": 4 << convs, "img_channels": 3, "z_dim": z_dim, "w_dim": z_dim}
    return sizes | {"c_dim": 0, "num_layers": 1, "space": "z"}, tensors


def first_projections(tensors):
    """The one matrix that z meets first: (16 channels, z_dim), applied at 4 px."""
    return [Layer(0, "dense", 4, "dense", tensors["dense.weight"], None)]


def generator(checkpoint):
    """The network. It is imported only now, because `sefa factorize` needs no torch."""
    from sefa_tinyconv.network import TinyConv

    return TinyConv(checkpoint)
