"""The published factorization, re-stated: load everything with torch, a non-symmetric solver.

python bench/published_sefa.py FILE.pth OUT.npz

What genforce/sefa does for StyleGAN2 with its default `all`: the whole checkpoint through torch,
the style affines of every convolution and of the last to-RGB, rows scaled, `numpy.linalg.eig`.
The published script also builds the generator before; that is left out, in its favour.
"""

import sys

import numpy as np
import torch

state = torch.load(sys.argv[1], map_location="cpu", weights_only=True)["generator_smooth"]
convs = sum(name.endswith(".style.weight") and ".layer" in name for name in state)
names = [f"synthesis.layer{i}.style.weight" for i in range(convs)]
names.append(f"synthesis.output{convs // 2}.style.weight")
weights = [state[name].cpu().detach().numpy().T for name in names]  # (dim, outputs)
weight = np.concatenate(weights, axis=1).astype(np.float32)
weight = weight / np.linalg.norm(weight, axis=0, keepdims=True)
values, vectors = np.linalg.eig(weight.dot(weight.T))
np.savez(sys.argv[2], values=values, directions=vectors.T)
