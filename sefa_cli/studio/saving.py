"""Pages that survive a reload and a restart: their history is kept in the cache folder."""

import base64
import hashlib
import json
import re
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from sefa_cli.bundle.bundle import Bundle
from sefa_cli.editing.mixing import parse_mix
from sefa_cli.errors import SefaError, UsageError
from sefa_cli.ranges import format_range
from sefa_cli.sources.cache import cache_folder, keep, kept, write_quietly
from sefa_cli.studio.key_frames import KeyFrame, KeyFrames
from sefa_cli.studio.session import History, Origin, Sliders, State

_KEPT = 50  # pages
_NONE = KeyFrames()
_STEPS = 50  # states before the present one, and after it


class Saved:
    """The saved history of one page: a small file, and each bundle once, named by its content."""

    def __init__(self, name: str | None = None) -> None:
        """`name` comes from an address; one that is not ours is replaced by a new one."""
        known = name is not None and re.fullmatch(r"[\w-]{22}", name, re.ASCII)
        self.name = str(name) if known else secrets.token_urlsafe(16)
        self._folder = cache_folder() / "pages"
        self._digests: OrderedDict[int, tuple[Bundle, str]] = OrderedDict()

    def write(self, model: str, history: History, keys: KeyFrames = _NONE) -> None:
        """Keep the history and key frames of a page, if the cache can be written."""
        states = [*history.past[-_STEPS:], history.present, *history.future[-_STEPS:]]
        plain = {
            "model": model,
            "present": len(history.past[-_STEPS:]),
            "states": [self._plain(state) for state in states],
            "ease": keys.ease,
            "keys": [{**vars(one), "state": self._plain(one.state)} for one in keys.frames],
        }
        text = json.dumps(plain).encode()
        keep(self._file, text)

    def read(self) -> tuple[str, History, KeyFrames] | None:
        """Return the model's name, the history and the key frames; None if they cannot be read."""
        try:
            plain = json.loads(kept(self._file) or b"null")
            states, at = [self._state(one) for one in plain["states"]], plain["present"]
            history = History(states[at], states[:at], states[at + 1 :])
            return str(plain["model"]), history, self._keys(plain)
        except (OSError, ValueError, KeyError, TypeError, IndexError, SefaError):
            return None

    @property
    def _file(self) -> Path:
        return self._folder / f"{self.name}.json"

    def _keys(self, plain: Mapping[str, Any]) -> KeyFrames:
        frames = (
            KeyFrame(self._state(one["state"]), float(one["seconds"]), str(one["caption"]))
            for one in plain.get("keys", ())
        )
        return KeyFrames(tuple(frames), str(plain.get("ease", "linear")))

    def _plain(self, state: State) -> dict[str, Any]:
        sets = [
            {
                "path": own.path,
                "bundle": self._digest(own.bundle),
                "made_by": own.made_by,
                "alphas": own.alphas,
                "layers": own.layers,
            }
            for own in state.sets
        ]
        origin = state.origin and {
            **vars(state.origin),
            "data": base64.b64encode(state.origin.data).decode(),
        }
        return {**vars(state), "sets": sets, "origin": origin}

    def _digest(self, bundle: Bundle) -> str:
        """Return the name of a bundle's file, which is written when the bundle is first met."""
        if id(bundle) not in self._digests:
            data = bundle.to_bytes()
            digest = hashlib.sha256(data).hexdigest()
            write_quietly(self._folder / f"{digest}.dirs", lambda file: file.write(data))
            self._digests[id(bundle)] = bundle, digest  # the bundle too, or its id is used again
        return self._digests[id(bundle)][1]

    def _state(self, plain: Mapping[str, Any]) -> State:
        sets = tuple(
            Sliders(
                one["path"],
                self._bundle(one["bundle"]),
                tuple(one["made_by"]),
                tuple((int(k), float(alpha)) for k, alpha in one["alphas"]),
                None if one["layers"] is None else tuple(one["layers"]),
            )
            for one in plain["sets"]
        )
        more, mix = tuple(map(int, plain.get("more", ()))), str(plain.get("mix", ""))
        first = plain["seed"], plain["trunc"], plain["label"]
        return State(*first, sets, plain["active"], _origin(plain.get("origin")), more, mix)

    def _bundle(self, digest: str) -> Bundle:
        for bundle, known in self._digests.values():
            if known == digest:
                return bundle
        data = (self._folder / f"{digest}.dirs").read_bytes()
        if hashlib.sha256(data).hexdigest() != digest:
            raise SefaError(f"{digest}.dirs changed since it was written")
        bundle = Bundle.from_bytes(data)
        self._digests[id(bundle)] = bundle, digest
        return bundle


def _origin(plain: Mapping[str, Any] | None) -> Origin | None:
    if plain is None:
        return None
    data = base64.b64decode(plain["data"], validate=True)
    shape, made_by = tuple(plain["shape"]), tuple(plain["made_by"])
    return Origin(plain["name"], plain["path"], data, shape, plain["about"], made_by)


def drop_old() -> None:
    """Remove all pages but those used last, and bundles that no page needs."""
    folder = cache_folder() / "pages"
    try:
        pages = sorted(folder.glob("*.json"), key=lambda page: -page.stat().st_mtime)
        needed = b"".join(kept(page) or b"" for page in pages[:_KEPT])
        unused = [one for one in folder.glob("*.dirs") if one.stem.encode() not in needed]
        for path in [*pages[_KEPT:], *unused]:
            path.unlink()
    except OSError:
        return  # another studio is at it, or the folder is not ours


def address_of(saved: Saved, model: str, state: State) -> str:
    """Return the page's address, which says what it shows to whoever reads or shares it."""
    words = {"model": model}
    if state.origin is None:  # an address cannot hold a code; the saved page does
        words["seed"] = str(state.seed)
    if state.more:
        words["faces"] = str(len(state.seeds))
    if state.mix:
        words["mix"] = state.mix
    if state.trunc is not None:
        words["trunc"] = f"{state.trunc:g}"
    if state.label is not None:
        words["class"] = str(state.label)
    if own := state.sliders:
        words["dirs"] = own.path
        if own.layers is not None:
            words["layers"] = format_range(own.layers)
        if own.alphas:
            words["moves"] = ",".join(f"{k}:{alpha:g}" for k, alpha in own.alphas)
    return address_at(saved, words)


def address_at(saved: Saved, words: Mapping[str, str]) -> str:
    """Return the address that asks for `words` on this page."""
    others = {word: value for word, value in words.items() if word != "page"}
    return "/?" + urlencode({"page": saved.name, **others}, safe="/:,")


def state_at(words: Mapping[str, str], state: State) -> State:
    """Return `state` with the seed, truncation, class and moves that an address asks for.

    Moves count only if the open bundle is the one that the address names. Raises SefaError if a
    word is not valid.
    """
    try:
        state = state.with_seed(int(words.get("seed", state.seed)))
        if words.get("faces") in ("4", "9"):
            state = state.of_faces(int(words["faces"]))
        if "mix" in words:
            parse_mix(words["mix"])
            state = replace(state, mix=words["mix"])
        if "trunc" in words:
            state = replace(state, trunc=float(words["trunc"]))
        if "class" in words and state.label is not None:
            state = replace(state, label=int(words["class"]))
        if state.sliders and state.sliders.path == words.get("dirs") and words.get("moves"):
            for pair in words["moves"].split(","):
                k, alpha = pair.split(":")
                if not 0 <= int(k) < state.sliders.bundle.k:
                    raise UsageError(f"direction {k} is out of range", "a direction of the bundle")
                state = state.at(int(k), float(alpha))
    except ValueError:
        raise UsageError("cannot read the address", "an address that the studio made") from None
    return state
