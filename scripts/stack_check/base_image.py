"""
A stand-in for Python's official slim image: Debian's own Python on a minimal Debian.

It is the same version of Python on the same release of Debian.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from stack_check.ground import InTheWayError
from stack_check.report import say
from stack_check.shell import CommandError, call, install, last_line

SUITE = "trixie"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
NOT_NEEDED = (
    "tmp/*",
    "var/cache/apt/*",
    "var/lib/apt/lists/*",
    "var/log/*",
    "usr/share/doc/*",
    "usr/share/man/*",
    "usr/share/locale/*",
    "usr/share/info/*",
    "etc/apt/sources.list",
    "etc/hostname",
    "etc/resolv.conf",
)
ENVIRONMENT = (
    "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG=C.UTF-8",
    "PIP_CERT=/etc/ssl/certs/ca-certificates.crt",
)


def import_base_image(cache: Path, tag: str) -> None:
    """
    Make the image *tag*, from the archive in *cache* if that is there already.
    """
    archive = cache / f"{tag.rpartition('/')[2].replace(':', '-')}.tar"
    try:
        if not archive.exists():
            make_archive(archive)
        changes = [f"--change=ENV {variable}" for variable in ENVIRONMENT]
        command = '--change=CMD ["python3"]'
        call(["docker", "import", command, *changes, archive, tag])
    except CommandError as exc:
        msg = f"Python's image can neither be pulled nor made: {last_line(exc)}"
        raise InTheWayError(msg) from None


def make_archive(archive: Path) -> None:
    """
    Write the root file system to *archive*, which is only there when it is whole.
    """
    if os.geteuid() != 0:
        msg = "only root can make it (debootstrap)"
        raise CommandError(msg)
    say("Python's image cannot be pulled: making one with debootstrap")
    install({"debootstrap": "debootstrap"})
    root = Path(tempfile.mkdtemp(prefix="python-root."))
    try:
        packages = "--include=python3,ca-certificates"
        bootstrap = ["debootstrap", "--variant=minbase", packages, SUITE]
        call([*bootstrap, root, *_mirror()], seconds=500)
        _make_like_official(root)
        half = archive.with_suffix(f".{os.getpid()}.half")
        call(["tar", "-C", root, "-cf", half, "."])
        half.rename(archive)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _mirror() -> list[str]:
    """
    Return the mirror that apt is set up with; without one, debootstrap has its own.
    """
    codename = re.findall(
        r"VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text()
    )
    wanted = ["Created-By: Packages", *(f"Codename: {name}" for name in codename)]
    urls = call(["apt-get", "indextargets", "--format", "$(REPO_URI)", *wanted]).split()
    return urls[:1]


def _make_like_official(root: Path) -> None:
    (root / "usr/bin/python").symlink_to("python3")
    for mark in root.glob("usr/lib/python3*/EXTERNALLY-MANAGED"):
        mark.unlink()
    wheels = root / "tmp/wheels"
    call(
        [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "-d",
            wheels,
            "pip",
        ]
    )
    wheel = f"/tmp/wheels/{next(wheels.glob('pip-*.whl')).name}"
    run_pip: list[str | Path] = [
        "chroot",
        root,
        "python3",
        f"{wheel}/pip",
        "install",
        "-q",
        "--no-index",
    ]
    call([*run_pip, "--root-user-action=ignore", wheel])
    # A registry may be reached through a proxy that signs with its own certificate.
    shutil.copy(CERTIFICATES, root / "etc/ssl/certs/ca-certificates.crt")
    for pattern in NOT_NEEDED:
        for path in root.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink()
