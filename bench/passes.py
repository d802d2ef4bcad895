"""The loss over passes: `sefa invert` against plain Adam from the mean code, the same loss.

Real aligned photos (of bench/photos.py; needs `sefa-cli[eval]`) and the default model's own
pictures, by seed. A pass is one picture with its gradient; four rough pictures are one. FOLDER
keeps a curve for each picture and way, the lowest loss after each pass, so that an interrupted run
goes on. Then it prints how many passes Adam needs, for each picture and in the median, to the
loss that `invert` reaches, and draws the median loss over the pictures.

    python bench/passes.py FOLDER [--pictures collins,smile,bald,7003,7004,7006] [--space w+]
        [--passes 100] [--adam 300] [--picture docs/pictures/passes.png]
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from photos import photo_of  # type: ignore[import-not-found]
from PIL import Image, ImageDraw

import sefa_cli as sefa
from sefa_cli.inversion.how import How
from sefa_cli.inversion.invert import Inverter
from sefa_cli.inversion.photos import Photo
from sefa_cli.rendering.lettering import Lettering

STEP = 0.05  # of Adam
SIDE = (640, 400)
FRAME = (70, 20, 620, 350)  # left, top, right, bottom
COLORS = {"invert": (20, 90, 160), "adam": (200, 90, 20)}


def invert_curve(inverter: Inverter, photo: Photo) -> list[float]:
    """Return the lowest loss after each pass; NaN while the pictures are rough."""
    curve = np.full(inverter.how.passes, np.nan)
    rough = 4 if inverter.generator.rough_size else 0

    def keep(done: int, loss: float) -> None:
        if done > rough:
            curve[done - 1] = loss

    inverter.descent(photo, keep).run(inverter.how.passes, inverter.space)
    return list(np.fmin.accumulate(curve))


def adam_curve(inverter: Inverter, photo: Photo, passes: int) -> list[float]:
    """Return the lowest loss after each pass of Adam from the mean code."""
    layers = inverter.generator.num_layers if inverter.space == "w+" else 1
    codes = inverter.prior.mean.float().repeat(layers, 1).requires_grad_()
    search, loss_of = torch.optim.Adam([codes], lr=STEP), inverter.loss_to(photo)
    curve = []
    for _ in range(passes):
        search.zero_grad()
        own = codes.expand(inverter.generator.num_layers, -1)[None]
        loss = loss_of(inverter.generator.synthesize(own, size=inverter.size, preview=True))
        loss.backward()
        search.step()
        curve.append(float(loss.detach()))
    return list(np.minimum.accumulate(curve))


def needed(curve: np.ndarray, goal: float) -> float:
    """Return after how many passes a curve is at `goal` or below; infinite if it never is."""
    below = np.flatnonzero(curve <= goal)
    return float(below[0] + 1) if len(below) else math.inf


def draw(curves: dict[str, np.ndarray], path: Path) -> None:
    """Draw the median of the curves `(pictures, passes)` of each way; both axes are logarithmic."""
    medians = {way: np.median(each, axis=0) for way, each in curves.items()}
    known = np.concatenate([one[np.isfinite(one)] for one in medians.values()])
    low, high = known.min() * 0.9, known.max() * 1.1
    left, top, right, bottom = FRAME
    longest = max(map(len, medians.values()))

    def x_of(done: float) -> float:
        return left + (right - left) * math.log(done) / math.log(longest)

    def y_of(loss: float) -> float:
        return bottom - (bottom - top) * math.log(loss / low) / math.log(high / low)

    image = Image.new("RGB", SIDE, "white")
    canvas, words = ImageDraw.Draw(image), Lettering(14)
    canvas.rectangle(FRAME, outline=(160, 160, 160))
    for done in (1, 2, 5, 10, 20, 50, 100, 200, 500):
        if done <= longest:
            canvas.line((x_of(done), top, x_of(done), bottom), fill=(225, 225, 225))
            canvas.text((x_of(done) - 8, bottom + 6), str(done), words.ink, words._font)
    for loss in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2):
        if low <= loss <= high:
            canvas.line((left, y_of(loss), right, y_of(loss)), fill=(225, 225, 225))
            canvas.text((left - 40, y_of(loss) - 8), f"{loss:g}", words.ink, words._font)
    canvas.text((left + 230, bottom + 26), "passes", words.ink, words._font)
    canvas.text((8, top - 16), "loss", words.ink, words._font)
    names = {"invert": "sefa invert", "adam": "plain Adam from the mean code"}
    for row, (way, median) in enumerate(medians.items()):
        points = [(x_of(i + 1), y_of(v)) for i, v in enumerate(median) if np.isfinite(v)]
        canvas.line(points, fill=COLORS[way], width=3, joint="curve")
        place = (right - 250, top + 10 + 20 * row)
        canvas.text(place, names[way], COLORS[way], words._font)
    image.save(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", default="collins,smile,bald,7003,7004,7006")
    parser.add_argument("--space", default="w+")
    parser.add_argument("--passes", type=int, default=How.passes)
    parser.add_argument("--adam", type=int, default=300)
    parser.add_argument("--picture", type=Path)
    own = parser.parse_args()
    own.folder.mkdir(parents=True, exist_ok=True)
    sefa.keep_blocks()
    generator = sefa.load_generator("mobilestylegan_ffhq", device="cpu")
    aligning, plain = (
        Inverter(generator, How(own.space, own.passes, regularize=0, align=align))
        for align in (True, False)
    )
    curves: dict[str, list[np.ndarray]] = {"invert": [], "adam": []}
    for name in own.pictures.split(","):
        if name.isdigit():
            code = generator.truncate(generator.map(generator.sample([int(name)])), 0.7)
            photo = plain.read(sefa.sample(generator, codes=code, size=256)[0], name)
        else:
            photo = aligning.read(photo_of(name), name)
        for way, found in curves.items():
            file = own.folder / f"{name}_{own.space}_{way}.curve"
            if not file.exists():
                made = (
                    invert_curve(plain, photo)
                    if way == "invert"
                    else adam_curve(plain, photo, own.adam)
                )
                np.savetxt(file, made, "%.5g")
            found.append(np.loadtxt(file))
        ours, theirs = curves["invert"][-1], curves["adam"][-1]
        marks = [mark for mark in (5, 10, 20, 50, 100) if mark <= own.passes]
        told = (f"{m}: {ours[m - 1]:.4f}, Adam {needed(theirs, ours[m - 1]):.0f}" for m in marks)
        print(name, *told, sep="; ", flush=True)
    stacked = {way: np.stack(found) for way, found in curves.items()}
    median = np.median(stacked["adam"], axis=0)
    for mark in marks:
        goal = float(np.median(stacked["invert"][:, mark - 1]))
        print(f"median after {mark}: {goal:.4f}, Adam's median needs {needed(median, goal):.0f}")
    if own.picture:
        draw(stacked, own.picture)


if __name__ == "__main__":
    main()
