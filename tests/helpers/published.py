"""Files as the published tools write them, small, from what is known of each (keys, shapes, types).

Torch files are written by torch itself, so that our reader and writer meet the real thing.
"""

import struct
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

LAYERS, DIM = 6, 8


def unit_rows(k: int, seed: int = 0) -> NDArray[np.float64]:
    """k orthonormal rows: (k, DIM)."""
    square = np.random.default_rng(seed).standard_normal((DIM, DIM))
    return np.linalg.qr(square)[0][:k]


def interfacegan(path: Path) -> NDArray[np.float64]:
    """`*_w_boundary.npy`: (1, dim) float64, norm 1."""
    np.save(path, unit_rows(1))
    return unit_rows(1)


def resefa(path: Path) -> NDArray[np.float64]:
    """`image_00_region_mouth_name_x.npy`: (dim, dim) unit rows, sorted, float32."""
    np.save(path, unit_rows(DIM).astype(np.float32))
    return unit_rows(DIM)


def luxemburg(path: Path) -> NDArray[np.float64]:
    """`latent_directions/*.npy`: (layers, dim) float64, one row repeated, norm 0.26 to 1.16."""
    row = 0.26 * unit_rows(1)
    np.save(path, np.repeat(row, LAYERS, axis=0))
    return row


def eps696(path: Path) -> NDArray[np.float64]:
    """`vectors_ffhq/*.npy`: (layers, dim) float64, rows of norm 8.6 to 14.4, all different."""
    rows = unit_rows(LAYERS) * np.linspace(8.6, 14.4, LAYERS)[:, None]
    np.save(path, rows)
    return rows


def ganspace(path: Path, k: int = 4) -> dict[str, NDArray[np.float32]]:
    """`stylegan2-ffhq_style_ipca_c80_n1000000_w.npz`: eight float32 arrays."""
    draw = np.random.default_rng(1)
    arrays = {
        "act_comp": unit_rows(k)[:, None],  # (k, 1, dim)
        "act_mean": draw.standard_normal((1, DIM)),
        "act_stdev": np.linspace(3, 1, k),
        "lat_comp": unit_rows(k)[:, None],
        "lat_mean": draw.standard_normal((1, DIM)),
        "lat_stdev": np.linspace(3, 1, k),
        "var_ratio": np.linspace(0.4, 0.1, k),
        "random_stdevs": np.ones(k),
    }
    single = {name: array.astype(np.float32) for name, array in arrays.items()}
    np.savez(path, **single)  # type: ignore[arg-type]
    return single


def e4e_pca(path: Path, k: int = 4) -> dict[str, torch.Tensor]:
    """`ffhq_pca.pt`: comp (k, 1, dim), mean (1, dim), std (k,), float32."""
    content = {
        "comp": torch.tensor(unit_rows(k)[:, None], dtype=torch.float32),
        "mean": torch.linspace(-1, 1, DIM)[None],
        "std": torch.linspace(3, 1, k),
    }
    torch.save(content, path)
    return content


def e4e(path: Path) -> NDArray[np.float64]:
    """`editings/interfacegan_directions/age.pt`: a tensor (1, dim), float32, norm 1."""
    torch.save(torch.tensor(unit_rows(1), dtype=torch.float32), path)
    return unit_rows(1)


def rosinality(path: Path) -> NDArray[np.float64]:
    """`factor.pt`: `ckpt` and `eigvec`, whose columns are the directions, float32."""
    columns = unit_rows(DIM).T.copy()
    torch.save(
        {"ckpt": "../models/stylegan2-ffhq.pt", "eigvec": torch.tensor(columns).float()}, path
    )
    return unit_rows(DIM)


def anycost(path: Path) -> NDArray[np.float64]:
    """`boundary/*.pt`: a dict from names to tensors."""
    rows = 2 * unit_rows(3)
    names = ("00_5_o_Clock_Shadow", "31_Smiling", "39_Young")
    torch.save(
        {n: torch.tensor(row).float()[None] for n, row in zip(names, rows, strict=True)}, path
    )
    return rows


def repeng(path: Path) -> NDArray[np.float64]:
    """A control vector in GGUF: `direction.1` … `direction.5`, each (dim,) float32 and unit."""

    def text(value: str) -> bytes:
        return struct.pack("<Q", len(value)) + value.encode()

    rows = unit_rows(LAYERS - 1)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(rows), 3)
    head += text("general.architecture") + struct.pack("<I", 8) + text("controlvector")
    head += text("controlvector.model_hint") + struct.pack("<I", 8) + text("llama")
    head += text("controlvector.layer_count") + struct.pack("<II", 4, len(rows))
    for i in range(len(rows)):  # each of 32 bytes, the alignment
        head += text(f"direction.{i + 1}") + struct.pack("<IQIQ", 1, DIM, 0, 4 * DIM * i)
    path.write_bytes(head + bytes(-len(head) % 32) + rows.astype("<f4").tobytes())
    return rows


def projected(path: Path, n: int = 1) -> NDArray[np.float32]:
    """`projected_w.npz` of NVIDIA's projector: `w (1, layers, dim)`."""
    w = codes(n)
    np.savez(path, w=w)
    return w


def e4e_latents(path: Path, n: int = 3) -> NDArray[np.float32]:
    """`latents.pt` of e4e and pSp: (n, layers, dim)."""
    torch.save(torch.tensor(codes(n)), path)
    return codes(n)


def rosinality_projector(path: Path, plus: bool = True) -> NDArray[np.float32]:
    """A dict from picture names to `img`, `latent` (layers, dim) or (dim,), and `noise`."""
    w = codes(2) if plus else codes(2)[:, 0]
    torch.save(
        {
            f"face{i}.png": {
                "img": torch.zeros(3, 4, 4),
                "latent": torch.tensor(code),
                "noise": [torch.zeros(1, 1, 4, 4)],
            }
            for i, code in enumerate(w)
        },
        path,
    )
    return w


def codes(n: int) -> NDArray[np.float32]:
    """(n, LAYERS, DIM)."""
    return np.random.default_rng(2).standard_normal((n, LAYERS, DIM), dtype=np.float32)
