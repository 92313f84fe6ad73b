"""
Images that cannot be pulled, made here under the names that the Compose file pins.

Each is kept under a name of our own. The pinned name is only a tag for the time of the
check: nobody finds a stand-in where he looks for the real image.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from stack_check.backends import programs
from stack_check.base_image import import_base_image
from stack_check.ground import ROOT
from stack_check.report import say
from stack_check.shell import CommandError, call, install

if TYPE_CHECKING:
    from stack_check.ground import Model
    from stack_check.kept import Made

CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
OURS = "otel-aiohttp-logs-stand-in"

# As the official images are: the same entry point and user, and not one tool more.
DOCKERFILES = {
    "otelcol": """
FROM scratch
COPY certificates /etc/ssl/certs/ca-certificates.crt
COPY otelcol /otelcol-contrib
USER 10001
ENTRYPOINT ["/otelcol-contrib"]
CMD ["--config", "/etc/otelcol-contrib/config.yaml"]
EXPOSE 4317 4318 55679
""",
    # The official one is Alpine: busybox stands in for its shell and its wget.
    "jaeger": """
FROM scratch
COPY certificates /etc/ssl/certs/ca-certificates.crt
COPY busybox /bin/busybox
COPY busybox /bin/wget
COPY busybox /bin/sh
COPY --chown=10001:10001 empty /tmp
COPY jaeger /cmd/jaeger/jaeger-linux
USER 10001
ENTRYPOINT ["/cmd/jaeger/jaeger-linux"]
EXPOSE 4317 4318 16685 16686
""",
    # The official one is distroless, with a home folder for uid 65532.
    "victoria-logs": """
FROM scratch
COPY certificates /etc/ssl/certs/ca-certificates.crt
COPY --chown=65532:65532 empty /home/nonroot
COPY victoria-logs /victoria-logs-prod
ENTRYPOINT ["/victoria-logs-prod"]
EXPOSE 9428
""",
}
PROGRAMS = {
    "otel-collector": "otelcol",
    "jaeger": "jaeger",
    "victoria-logs": "victoria-logs",
}


class Images:
    """
    The images that the stack needs; the tags that are ours are put down in *made*.
    """

    def __init__(self, cache: Path, made: Made) -> None:
        self._cache = cache
        self._made = made
        self._offline = False

    def provide(self, model: Model) -> None:
        base = base_image()
        wanted = {base, *(model["services"][name]["image"] for name in PROGRAMS)}
        missing = {image for image in wanted if not self._there(image)}
        # They come from different places: one after the other would take longer.
        with ThreadPoolExecutor() as pool:
            based = pool.submit(self._base, base) if base in missing else None
            if missing - {base}:
                built = programs()
                for service, program in PROGRAMS.items():
                    image = model["services"][service]["image"]
                    if image in missing:
                        self._tag(_stand_in(program, built[program], image), image)
            if based:
                based.result()
        if missing:
            say(f"made here, as they cannot be pulled: {', '.join(sorted(missing))}")

    def pull(self, image: str) -> bool:
        """
        Tell whether *image* is there or can be pulled.
        """
        return self._there(image, seconds=600)

    def _base(self, image: str) -> None:
        tag = f"{OURS}/{_plain(image)}"
        if not _exists(tag):
            import_base_image(self._cache, tag)
        self._tag(tag, image)

    def _there(self, image: str, *, seconds: float = 300) -> bool:
        # A check that was killed leaves the name on a stand-in, maybe one of old.
        if _exists(image) and not _is_stand_in(image):
            return True
        if not self._offline:
            with suppress(CommandError):
                call(["docker", "pull", "-q", image], seconds=seconds)
                say(f"pulled {image}")
                return True
            self._offline = True  # the next one is not tried, nor waited for
        return False

    def _tag(self, stand_in: str, image: str) -> None:
        # Written down first: a tag too many there does no harm.
        self._made.images.append(image)
        self._made.save()
        call(["docker", "tag", stand_in, image])


def _stand_in(program: str, binary: Path, image: str) -> str:
    """
    Return the name of the image around *binary*, built if it is not there yet.
    """
    key = hashlib.sha256(DOCKERFILES[program].encode())
    key.update(binary.read_bytes())
    tag = f"{OURS}/{_plain(image)}-{key.hexdigest()[:8]}"
    if not _exists(tag):
        _build(program, binary, tag)
    return tag


def base_image() -> str:
    """
    Return the image that demo/Dockerfile begins with.
    """
    text = (ROOT / "demo" / "Dockerfile").read_text(encoding="utf-8")
    return str(re.findall(r"^FROM (\S+)", text, re.MULTILINE)[0])


def _build(program: str, binary: Path, tag: str) -> None:
    install({"busybox-static": "busybox"})
    busybox = shutil.which("busybox") or "busybox"
    with tempfile.TemporaryDirectory(dir=binary.parent) as name:
        folder = Path(name)
        (folder / "empty").mkdir()
        shutil.copy(CERTIFICATES, folder / "certificates")
        shutil.copy(busybox, folder / "busybox")
        shutil.copy(binary, folder / program)
        (folder / "Dockerfile").write_text(DOCKERFILES[program], encoding="utf-8")
        call(["docker", "build", "-q", "-t", tag, folder], env={"DOCKER_BUILDKIT": "0"})


def _exists(image: str) -> bool:
    try:
        call(["docker", "image", "inspect", image])
    except CommandError:
        return False
    return True


def _is_stand_in(image: str) -> bool:
    tags = call(["docker", "image", "inspect", "--format", "{{.RepoTags}}", image])
    return f"{OURS}/" in tags


def _plain(image: str) -> str:
    return image.replace("/", "-")
