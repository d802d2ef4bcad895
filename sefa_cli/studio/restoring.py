"""What the page showed when it saved a picture: model, seed or code, and every slider."""

import hashlib
import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.interchange.labels import in_file_name
from sefa_cli.interchange.notes import note_in
from sefa_cli.sources.cache import cache_folder
from sefa_cli.sources.zoo import load_zoo
from sefa_cli.studio.session import Origin, Sliders, State, with_mix
from sefa_cli.studio.shell import edit_command

if TYPE_CHECKING:
    import torch

    from sefa_cli.studio.library import Library, Model

_NEAR = 1e-4  # two ways to the same code may differ by rounding
_MOST = 200  # bundles of the folder that are looked at


@dataclass(frozen=True)
class Restored:
    """The model and the state of a saved picture, and what of it could not be found."""

    model: "Model"
    state: State
    missing: tuple[str, ...] = ()  # bundles, by the start of their digests


def restored(
    name: str, data: bytes, library: "Library", now: "Model | None", page: State
) -> Restored:
    """Return what a PNG picture with a note shows.

    Its bundles are those of the page, of pages saved before, or of the working folder, if their
    digests are the note's. Without one of them the picture starts from its moved code.

    Raises SefaError if the note cannot be read, or its model is neither open nor in the zoo: an
    address in a stranger's picture is never fetched.
    """
    about, code = note_in(BytesIO(data), name)
    model = _model(name, about["model"], library, now)
    generator = model.generator
    label = about.get("class", 0) if generator.c_dim else None
    if generator.conditioned and "class" not in about:
        raise SefaError(
            f"{name} does not say its class", f"a picture of another model than {model.ref}"
        )
    from sefa_cli.editing.codes import as_codes

    end = as_codes(code, generator, name)
    sets, missing = [], []
    for move in about["moves"]:
        own = _sliders(name, move, model, page)
        if own is None:
            missing.append(str(move.get("bundle", "?"))[:8])
        else:
            sets.append(own)
    state = State(seed=page.seed, label=label)
    for other in page.sets if now is model else ():
        state = state.added(other.still())
    for own in sets:
        state = state.added(own)
    mixed = str(about.get("mixed", ""))
    if not missing and "seed" in about and mixed.partition(":")[0].isdecimal() == bool(mixed):
        first = _of_seed(state, about)
        told = [about["truncation"]] if "truncation" in about else []
        for trunc in itertools.chain(told, _truncations(model, first, end[:1])):
            tried = replace(first, trunc=trunc)
            if _same(tried.codes(generator), end):
                return Restored(model, tried)
    if len(end) > 1:
        raise SefaError(f"{name} shows {len(end)} faces, and a bundle of it is not here")
    return Restored(model, state.started(_origin(name, model, sets, end)), tuple(missing))


def _of_seed(state: State, about: Mapping[str, Any]) -> State:
    """Return the state with the faces of a note. Raises SefaError if it names none."""
    mix = with_mix(state, str(about.get("mixed", ""))).mix
    if type(about["seed"]) is not int or not 0 <= about.get("faces", 1) <= 9:
        raise UsageError("a picture with a forged seed", "one that sefa saved")
    return replace(state.with_seed(about["seed"]), mix=mix).of_faces(int(about.get("faces", 1)))


def _model(name: str, told: Mapping[str, Any], library: "Library", now: "Model | None") -> "Model":
    wanted, ref = told.get("fingerprint"), str(told["ref"])
    if now and (now.fingerprint == wanted or (wanted is None and now.ref == ref)):
        return now
    if ref in load_zoo():
        model = library.open_model(ref)
        if model.fingerprint == wanted:
            return model
    raise SefaError(
        f"{name} was made with {ref[:80]}, which is not open", remedy="Open that model first."
    )


def _sliders(name: str, move: Mapping[str, Any], model: "Model", page: State) -> Sliders | None:
    """Return the sliders of a move where they stood; None if its bundle is not here."""
    for path, bundle in _bundles(str(move.get("bundle", "")), page):
        own = model.sliders_of(path, bundle)
        layers = tuple(int(layer) for layer in move["layers"])
        if layers != own.applied:
            own = replace(own, layers=layers)
        for step in move["steps"]:
            k, alpha = int(step["k"]), float(step["alpha"])
            if not (0 <= k < bundle.k and np.isfinite(alpha)):
                raise UsageError(f"{name} moves direction {k} of {path}", "one that it has")
            own = replace(own, alphas=tuple(sorted({**dict(own.alphas), k: alpha}.items())))
        known = (other for other in page.sets if other.path == path)
        return replace(own, made_by=next((other.made_by for other in known), ()))
    return None


def _bundles(digest: str, page: State) -> Iterator[tuple[str, Bundle]]:
    """Yield the path and the bundle with this SHA-256."""
    for own in page.sets:
        if hashlib.sha256(own.bundle.to_bytes()).hexdigest() == digest:
            yield own.path, own.bundle
    for path in sorted(Path().glob("*.dirs"))[:_MOST]:
        if hashlib.sha256(path.read_bytes()).hexdigest() == digest:
            yield path.name, Bundle.load(path)
    if len(digest) == 64 and digest.isalnum():
        kept = cache_folder() / "pages" / f"{digest}.dirs"
        if kept.exists():
            yield f"{digest[:8]}.dirs", Bundle.load(kept)


def _truncations(model: "Model", state: State, end: "torch.Tensor") -> Iterator[float | None]:
    """Yield the default, and the psi that brings the seed's code nearest to that before moves."""
    yield None
    generator = model.generator
    if generator.space != "w":
        return
    whole = replace(state.before(), trunc=1.0).codes(generator).double()
    mean = replace(state.before(), trunc=0.0).codes(generator).double()
    away, wanted = whole - mean, _unmoved(state.moved, end).double() - mean
    if float(away.square().sum()):
        yield round(float((away * wanted).sum() / away.square().sum()), 3)


def _unmoved(sets: Sequence[Sliders], code: "torch.Tensor") -> "torch.Tensor":
    """Return a code before the moves of these sets."""
    from sefa_cli.editing.start import Start, moved

    for own in reversed(sets):
        start = Start(code, (0,), "code")
        code = moved(start, own.bundle, _back(own).move, own.layers)
    return code


def _back(own: Sliders) -> Sliders:
    return replace(own, alphas=tuple((k, -alpha) for k, alpha in own.alphas))


def _origin(name: str, model: "Model", sets: Sequence[Sliders], end: "torch.Tensor") -> Origin:
    """Return the code before the moves as an origin, with the commands that find it again."""
    start = _unmoved([own for own in sets if own.alphas], end)[0].cpu().numpy()
    stem, path, lines = in_file_name(Path(name).stem) or "picture", name, []
    for number, own in enumerate(reversed([own for own in sets if own.alphas]), start=1):
        before, path = path, f"{stem}_before{number}.npz"
        words = ["-o", f"{stem}_before{number}", "--save-codes", path]
        lines += [*own.made_by, edit_command(model, _back(own), ["--codes", before], *words)]
    return Origin(name, path, start.astype("<f4").tobytes(), start.shape, "", tuple(lines))


def _same(a: "torch.Tensor", b: "torch.Tensor") -> bool:
    return bool((a - b).abs().max() <= _NEAR * max(1.0, float(b.abs().max())))
