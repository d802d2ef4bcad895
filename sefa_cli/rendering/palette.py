"""One palette for a whole film: colours by k-means, frames drawn with them without flicker."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SIZE = 255  # colours; GIF's last index is left for "transparent" or "as in the frame before"
_BITS = 7  # per channel: colours this alike are counted, and drawn, as one
_AT_ONCE = 1 << 12  # colours whose distances are taken at a time: 4 MB, which the cache holds
_ROUNDS = 10  # of k-means; more gain less than 0.02 dB

Colours = NDArray[np.float64]  # (n, 3)


@dataclass(frozen=True)
class Palette:
    """At most 255 colours, and for every bin of colours which of them is the nearest."""

    colours: NDArray[np.uint8]  # (SIZE, 3)
    nearest: NDArray[np.uint8]  # (2 ** 21,)
    error: float  # mean squared distance of a pixel from its colour, summed over the channels

    @classmethod
    def of(cls, film: Iterable[NDArray[np.uint8]]) -> "Palette":
        """The palette of a film's pixels, which come in pieces `(…, 3 or 4)`."""
        bins, colours, counts = _histogram(film)
        centres = _refined(_split(colours, counts), colours, counts)
        palette = np.zeros((SIZE, 3), np.uint8)
        palette[: len(centres)] = np.rint(centres)
        index = _nearest(colours, palette[: len(centres)])
        table = np.zeros(1 << (3 * _BITS), np.uint8)
        table[bins] = index
        distances = np.square(colours - palette[index]).sum(axis=1)
        return cls(palette, table, float(distances @ counts / max(1, counts.sum())))

    def drawn(self, frames: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        """Each frame as indices `(height, width)`; what is transparent has the index SIZE.

        A pixel keeps the colour it had in the frame before while that is as near as another,
        give or take the palette's own error: what stands still then neither flickers between two
        colours nor costs bytes.
        """
        colours = np.concatenate([self.colours, [[0, 0, 0]]]).astype(np.int32)  # (SIZE + 1, 3)
        former = None
        for frame in frames:
            pixels = frame[:, :, :3].astype(np.int32)
            index = self.nearest[_bins(pixels)]
            if former is not None:
                now, then = (np.square(colours[i] - pixels).sum(axis=2) for i in (index, former))
                index = np.where((then <= now + self.error) & (former < SIZE), former, index)
            if frame.shape[2] == 4:
                index = np.where(frame[:, :, 3] < 128, np.uint8(SIZE), index)
            yield index
            former = index


def _bins(pixels: NDArray[np.int32]) -> NDArray[np.int32]:
    """The bin of each colour: its upper bits, `(…, 3)` → `(…)`."""
    red, green, blue = np.moveaxis(pixels >> (8 - _BITS), -1, 0)
    return np.asarray((red << (2 * _BITS)) | (green << _BITS) | blue)


def _histogram(
    film: Iterable[NDArray[np.uint8]],
) -> tuple[NDArray[np.intp], Colours, NDArray[np.float64]]:
    """The bins that opaque pixels fill `(n,)`, their mean colours `(n, 3)` and counts `(n,)`."""
    size = 1 << (3 * _BITS)
    counts, sums = np.zeros(size), np.zeros((3, size))
    for piece in film:
        pixels = piece.reshape(-1, piece.shape[-1])
        if pixels.shape[1] == 4:
            pixels = pixels[pixels[:, 3] >= 128]
        bins = _bins(pixels[:, :3].astype(np.int32))
        counts += np.bincount(bins, minlength=size)
        for channel in range(3):
            sums[channel] += np.bincount(bins, pixels[:, channel], minlength=size)
    filled = np.flatnonzero(counts)
    return filled, (sums[:, filled] / counts[filled]).T, counts[filled]


def _split(colours: Colours, counts: NDArray[np.float64]) -> Colours:
    """Up to SIZE centres: the group that spreads most is halved across its main axis, and again."""
    if not len(colours):
        return np.zeros((1, 3))
    group = np.zeros(len(colours), np.intp)

    def spread(number: int) -> tuple[float, NDArray[np.float64], Colours]:
        members, weights = colours[group == number], counts[group == number, None]
        mean = (members * weights).sum(axis=0) / weights.sum()
        variances, axes = np.linalg.eigh((members - mean).T @ ((members - mean) * weights))
        return float(variances[-1]), axes[:, -1], mean

    spreads = [spread(0)]
    while len(spreads) < min(SIZE, len(colours)):
        widest = max(range(len(spreads)), key=lambda number: spreads[number][0])
        _, axis, mean = spreads[widest]
        members = np.flatnonzero(group == widest)
        upper = members[(colours[members] - mean) @ axis > 0]
        if not 0 < len(upper) < len(members):
            break
        group[upper] = len(spreads)
        spreads[widest] = spread(widest)
        spreads.append(spread(len(spreads)))
    return np.array([mean for _, _, mean in spreads])


def _refined(centres: Colours, colours: Colours, counts: NDArray[np.float64]) -> Colours:
    """Lloyd's rounds of k-means: every centre moves to the mean of what is nearest to it."""
    for _ in range(_ROUNDS):
        index = _nearest(colours, centres)
        weights = np.bincount(index, counts, minlength=len(centres))
        sums = [np.bincount(index, counts * c, minlength=len(centres)) for c in colours.T]
        used = weights > 0
        centres[used] = np.array(sums).T[used] / weights[used, None]
    return centres


def _nearest(colours: Colours, centres: NDArray[np.generic]) -> NDArray[np.intp]:
    """The index of the nearest centre for each colour, `(n,)`."""
    # |x − c|² is smallest where x·c − |c|²/2 is largest: one product of (n, 4) and (4, centres)
    points = centres.astype(np.float32)
    biased = np.vstack([points.T, -np.square(points).sum(axis=1) / 2])
    wanted = np.column_stack([colours, np.ones(len(colours))]).astype(np.float32)
    pieces = np.array_split(wanted, len(wanted) // _AT_ONCE + 1)
    return np.concatenate([np.argmax(piece @ biased, axis=1) for piece in pieces])
