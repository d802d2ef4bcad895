"""A plug-in for sefa: generators of one dense layer and a few up-sampling convolutions."""

from sefa_cli.projections import Layer

FAMILY = "tinyconv"


def recognise(tensors):
    """Configuration and tensors of a state dict of ours; None for any other."""
    if not {"dense.weight", "dense.bias", "convs.0.weight"} <= tensors.keys():
        return None
    convs = sum(f"convs.{i}.weight" in tensors for i in range(len(tensors)))
    z_dim = tensors["dense.weight"].shape[1]
    config = {
        "resolution": 4 << convs,
        "img_channels": tensors[f"convs.{convs - 1}.weight"].shape[0],
        "z_dim": z_dim,
        "w_dim": z_dim,
        "c_dim": 0,
        "num_layers": 1,
        "space": "z",
    }
    return config, tensors


def first_projections(tensors):
    """The one matrix that z meets first: (16 channels, z_dim), applied at 4 px."""
    return [Layer(0, "dense", 4, "dense", tensors["dense.weight"], tensors["dense.bias"])]


def generator(checkpoint):
    """The network. It is imported only now, because `sefa factorize` needs no torch."""
    from sefa_tinyconv.network import TinyConv

    return TinyConv(checkpoint)
