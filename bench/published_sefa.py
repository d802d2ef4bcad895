"""The published factorization, re-stated: load everything with torch, a non-symmetric solver.

python bench/published_sefa.py FILE.pth OUT.npz [--no-generator]

What genforce/sefa does for StyleGAN2 with its default `all`: the generator is built, with the
random weights of its constructor, and the whole checkpoint loaded into it; then the style affines
of every convolution and of the last to-RGB, rows scaled, `numpy.linalg.eig`. `--no-generator`
leaves the building out, in its favor. Its imports for web pages and progress bars are left out.
"""

import sys

import numpy as np
import torch

state = torch.load(sys.argv[1], map_location="cpu", weights_only=True)["generator_smooth"]
if "--no-generator" not in sys.argv:
    generator = torch.nn.Module()
    for name, tensor in state.items():
        parent = generator
        *modules, leaf = name.split(".")
        for module in modules:
            if not hasattr(parent, module):
                parent.add_module(module, torch.nn.Module())
            parent = getattr(parent, module)
        parent.register_parameter(leaf, torch.nn.Parameter(torch.randn(tensor.shape)))
    generator.load_state_dict(state)
    state = dict(generator.eval().named_parameters())
convs = sum(name.endswith(".style.weight") and ".layer" in name for name in state)
names = [f"synthesis.layer{i}.style.weight" for i in range(convs)]
names.append(f"synthesis.output{convs // 2}.style.weight")
weights = [state[name].cpu().detach().numpy().T for name in names]  # (dim, outputs)
weight = np.concatenate(weights, axis=1).astype(np.float32)
weight = weight / np.linalg.norm(weight, axis=0, keepdims=True)
values, vectors = np.linalg.eig(weight.dot(weight.T))
np.savez(sys.argv[2], values=values, directions=vectors.T)
