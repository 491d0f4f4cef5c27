"""Look-alikes of the public images that Dockerfile and compose.yaml name: same tag, entry point, command and folders.

They are made of Debian's packages, of NSQ's programs as `make nsq` builds them, and of the Rust toolchain of this
machine, so that the compose file is tested as it stands where no image registry can be reached. Each has only what the
public image has too, as far as a compose file sees it: a health check that calls what is not there fails here as well.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

BASE = "stock-exchange-test/debian:bookworm"
LABEL = "stock-exchange.recipe"
BUILD_S = 2_400
NSQ_PROGRAMS = ("nsqd", "nsqlookupd", "nsqadmin")

PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
APT = "apt-get update -qq && apt-get install -qq -y --no-install-recommends"
CLEAN = "rm -rf /var/lib/apt/lists/* /var/cache/apt/*"

PYTHON = f"""
FROM {BASE}
RUN {APT} python3 python3-pip python3-venv >/dev/null && {CLEAN} \\
    && rm -f /usr/lib/python3.11/EXTERNALLY-MANAGED \\
    && for name in python python3 python3.11; do ln -sf /usr/bin/python3.11 /usr/local/bin/$name; done
ENV LANG=C.UTF-8
CMD ["python3"]
"""

RUST = f"""
FROM {BASE}
RUN {APT} gcc libc6-dev >/dev/null && {CLEAN}
COPY toolchain /usr/local/rust
ENV CARGO_HOME=/usr/local/cargo PATH=/usr/local/cargo/bin:/usr/local/rust/bin:{PATHS}
CMD ["bash"]
"""

REDIS = f"""
FROM {BASE}
RUN {APT} redis-server redis-tools >/dev/null && {CLEAN} && mkdir -p /data && chown redis /data
COPY entrypoint /usr/local/bin/docker-entrypoint.sh
VOLUME /data
WORKDIR /data
EXPOSE 6379
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["redis-server"]
"""

# As the public one: started by root it gives its folder to redis and becomes redis; protected mode is off.
REDIS_ENTRYPOINT = """#!/bin/sh
set -e
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then set -- redis-server "$@"; fi
if [ "$1" = redis-server ]; then
    case " $* " in *" --protected-mode "*) ;; *) set -- "$@" --protected-mode no ;; esac
    if [ "$(id -u)" = 0 ]; then
        chown -R redis .
        exec setpriv --reuid=redis --regid=redis --clear-groups "$@"
    fi
fi
exec "$@"
"""

POSTGRES = f"""
FROM {BASE}
RUN {APT} postgresql-15 >/dev/null && {CLEAN} && rm -rf /var/lib/postgresql/15 \\
    && mkdir -p /docker-entrypoint-initdb.d /var/lib/postgresql/data && chown postgres /var/lib/postgresql/data
COPY entrypoint /usr/local/bin/docker-entrypoint.sh
ENV LANG=C.UTF-8 PGDATA=/var/lib/postgresql/data PATH=/usr/lib/postgresql/15/bin:{PATHS}
VOLUME /var/lib/postgresql/data
EXPOSE 5432
STOPSIGNAL SIGINT
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["postgres"]
"""

# What compose.yaml relies on: user, password and database made at the first start, unreachable over TCP until then.
POSTGRES_ENTRYPOINT = """#!/bin/bash
set -e
[ "${1:0:1}" = - ] && set -- postgres "$@"
[ "$1" = postgres ] || exec "$@"
as_postgres() { setpriv --reuid=postgres --regid=postgres --init-groups "$@"; }
mkdir -p "$PGDATA" /var/run/postgresql
chown -R postgres "$PGDATA" /var/run/postgresql
chmod 700 "$PGDATA"
user=${POSTGRES_USER:-postgres} database=${POSTGRES_DB:-${POSTGRES_USER:-postgres}}
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    [ -n "$POSTGRES_PASSWORD" ] || { echo "POSTGRES_PASSWORD is not set" >&2; exit 1; }
    password=$(mktemp)
    printf '%s\\n' "$POSTGRES_PASSWORD" > "$password"
    chown postgres "$password"
    as_postgres initdb -U "$user" --pwfile="$password" >/dev/null
    rm -f "$password"
    echo "host all all all scram-sha-256" >> "$PGDATA/pg_hba.conf"
    as_postgres pg_ctl -w -o "-c listen_addresses=''" start >/dev/null
    [ "$database" = postgres ] || as_postgres psql -U "$user" -d postgres -qc "create database \\"$database\\""
    as_postgres pg_ctl -m fast -w stop >/dev/null
fi
exec setpriv --reuid=postgres --regid=postgres --init-groups "$@" -c listen_addresses='*'
"""

NSQ = """
FROM scratch
COPY root /
ENV PATH=/usr/local/bin:/bin
VOLUME /data
EXPOSE 4150 4151 4160 4161 4170 4171
"""


class LookAlike(NamedTuple):
    """One image. lay: puts the files that the recipe copies into a folder, and names what they were made of."""

    tag: str
    recipe: str
    lay: Callable[[Path], str]


def look_alikes(root: Path) -> list[LookAlike]:
    """List the images that are needed, those that are quick to make first. root: of the project."""
    return [
        LookAlike("nsqio/nsq:v1.3.0", NSQ, lambda folder: _lay_nsq(folder, root / ".venv" / "nsq")),
        LookAlike("redis:7.0", REDIS, lambda folder: _lay_script(folder, REDIS_ENTRYPOINT)),
        LookAlike("postgres:15", POSTGRES, lambda folder: _lay_script(folder, POSTGRES_ENTRYPOINT)),
        LookAlike("python:3.11-slim", PYTHON, lambda folder: ""),
        LookAlike("rust:1.95-slim-bookworm", RUST, _lay_toolchain),
    ]


def make(root: Path, environment: dict[str, str], say: Callable[[str], None]) -> Iterator[str]:
    """Make the images that are not there as they would be made now; yield each tag that is ready."""
    with tempfile.TemporaryDirectory() as scratch:
        made_base = False
        for image in look_alikes(root):
            folder = Path(scratch) / image.tag.replace("/", "_").replace(":", "_")
            folder.mkdir()
            made_of = image.lay(folder)
            recipe = hashlib.sha256(f"{image.recipe}{made_of}".encode()).hexdigest()
            if _recipe_of(image.tag, environment) != recipe:
                if not made_base and BASE in image.recipe:
                    _make_base(Path(scratch), environment, say)
                    made_base = True
                say(f"making a look-alike of {image.tag}")
                (folder / "Dockerfile").write_text(f"{image.recipe}LABEL {LABEL}={recipe}\n")
                run(["docker", "build", "--quiet", "--tag", image.tag, str(folder)], environment)
            shutil.rmtree(folder)
            yield image.tag


def run(command: list[str], environment: dict[str, str], seconds: float = BUILD_S) -> str:
    """Run a command and return what it prints; raise `AssertionError` with all of it where it fails."""
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=seconds, check=False
    )
    assert done.returncode == 0, (
        f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-8_000:]}\n{done.stderr[-8_000:]}"
    )
    return done.stdout


def _recipe_of(tag: str, environment: dict[str, str]) -> str:
    """Return the recipe that an image was made by, empty where there is no such image."""
    done = subprocess.run(
        ["docker", "image", "inspect", "--format", f'{{{{index .Config.Labels "{LABEL}"}}}}', tag],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout.strip() if done.returncode == 0 else ""


def _make_base(scratch: Path, environment: dict[str, str], say: Callable[[str], None]) -> None:
    """Make Debian 12 with apt and the certificates of this machine, which a build needs to reach its packages."""
    if _recipe_of(BASE, environment) == BASE:
        return
    say("making Debian 12 by mmdebstrap")
    archive = scratch / "base.tar"
    certificates = os.environ.get("SSL_CERT_FILE") or "/etc/ssl/certs/ca-certificates.crt"
    run(
        [
            "mmdebstrap", "--quiet", "--mode=root", "--variant=apt", "--include=ca-certificates",
            "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*",
            "--dpkgopt=path-exclude=/usr/share/locale/*", '--aptopt=Acquire::Languages "none"',
            f'--customize-hook=cp -L {certificates} "$1"/etc/ssl/certs/ca-certificates.crt',
            "bookworm", str(archive),
        ],
        environment,
    )  # fmt: skip
    run(["docker", "import", "--change", f"LABEL {LABEL}={BASE}", "--change",
         "ENV DEBIAN_FRONTEND=noninteractive", str(archive), BASE], environment)  # fmt: skip
    archive.unlink()


def _lay_script(folder: Path, script: str) -> str:
    file = folder / "entrypoint"
    file.write_text(script)
    file.chmod(0o755)
    return script


def _lay_nsq(folder: Path, programs: Path) -> str:
    """Lay the programs and a busybox as the public image has them: in /usr/local/bin, / and /bin."""
    busybox = shutil.which("busybox") or "/bin/busybox"
    root = folder / "root"
    for name in ("bin", "data", "tmp", "etc", "usr/local/bin"):
        (root / name).mkdir(parents=True)
    shutil.copy2(busybox, root / "bin" / "busybox")
    for name in ("sh", "wget", "ls", "cat", "sleep"):
        (root / "bin" / name).symlink_to("busybox")
    for name in NSQ_PROGRAMS:
        shutil.copy2(programs / name, root / "usr/local/bin" / name)
        for place in (root, root / "bin"):
            (place / name).symlink_to(f"/usr/local/bin/{name}")
    return "".join(hashlib.sha256((programs / name).read_bytes()).hexdigest() for name in NSQ_PROGRAMS)


def _lay_toolchain(folder: Path) -> str:
    """Lay the compiler of this machine, without its documents and without what only a person calls."""
    outside = {"cwd": "/"}  # no toolchain file of a project has a say
    sysroot = Path(subprocess.check_output(["rustc", "--print", "sysroot"], text=True, **outside).strip())
    version = subprocess.check_output(["rustc", "--version", "--verbose"], text=True, **outside)
    target = folder / "toolchain"
    (target / "bin").mkdir(parents=True)
    for name in ("cargo", "rustc"):
        shutil.copy2(sysroot / "bin" / name, target / "bin" / name)
    shutil.copytree(
        sysroot / "lib", target / "lib", symlinks=True, ignore=shutil.ignore_patterns("src", "etc", "*.md")
    )
    return version


def missing_parts(root: Path) -> str:
    """Say what the look-alikes need and this machine lacks, empty where nothing is."""
    lacking = [name for name in ("rustc", "cargo", "busybox") if not shutil.which(name)]
    lacking += [name for name in NSQ_PROGRAMS if not (root / ".venv" / "nsq" / name).exists()]
    return f"look-alikes of the public images need {', '.join(lacking)}" if lacking else ""
