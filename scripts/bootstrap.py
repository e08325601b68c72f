"""Make this checkout ready to run: system packages, .venv, locked Python packages; standard library only.

`python3 scripts/bootstrap.py [--dev | --variations | --bench | --sedona] [--print]` does what is missing and nothing else, so a second run is quick.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
NEWER_NAMES = ("python3.14", "python3.13", "python3.12", "python3.11")
ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "lowland-ready"
# What an environment of a kind serves too: it holds all of these.
KINDS = {
    "run": ("run",),
    "dev": ("run", "dev"),
    "bench": ("run", "dev", "bench"),
    "sedona": ("run", "dev", "sedona"),
}
QGIS_PYTHON = os.environ.get("LOWLAND_QGIS_PYTHON", "/usr/bin/python3")
CLUSTER_CONF = "/etc/postgresql-common/createcluster.conf"
FONT_FILES = (
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/STHeiti Light.ttc",
)
# capability: Debian package, other systems
PACKAGES = {
    "postgis": (
        "postgresql-postgis",
        "brew install postgis  |  conda install -c conda-forge postgresql postgis",
    ),
    "font": (
        "fonts-wqy-microhei",
        "brew install --cask font-noto-sans-cjk  |  conda install -c conda-forge font-ttf-noto-sans-sc",
    ),
    "venv": ("python3-venv", "brew install python  |  conda install python pip"),
    "gdal": ("gdal-bin", "brew install gdal  |  conda install -c conda-forge gdal"),
    "qgis": ("python3-qgis qgis-providers", "conda install -c conda-forge qgis"),
    "calc": ("libreoffice-calc", "brew install --cask libreoffice"),
    "mdb": ("mdbtools", "brew install mdbtools  |  conda install -c conda-forge mdbtools"),
    "writer": ("libreoffice-writer", "brew install --cask libreoffice"),
    "poppler": ("poppler-utils", "brew install poppler  |  conda install -c conda-forge poppler"),
    "browser": ("chromium", "brew install --cask chromium"),
    "locale": ("locales", "the variations of locales need GNU libc"),
    "java": ("openjdk-17-jre-headless", "brew install openjdk@17  |  conda install openjdk=17"),
    "maven": ("maven", "brew install maven  |  conda install maven"),
    "compiler": (
        "g++ libboost-dev",
        "brew install boost  |  conda install -c conda-forge cxx-compiler libboost-headers",
    ),
}
SAID = {
    "postgis": "PostgreSQL with PostGIS (the parcel database)",
    "font": "a Chinese font (中文字体, for maps and reports)",
    "venv": "the venv module of this Python",
    "gdal": "ogrinfo of GDAL (the tests read packages with it)",
    "qgis": "QGIS for Python (the tests edit units with it)",
    "calc": "LibreOffice Calc (the tests save workbooks with it)",
    "mdb": "mdbtools (personal geodatabases, .mdb, are read with it)",
    "writer": "LibreOffice Writer (briefs of units become PDFs by it)",
    "poppler": "pdftotext and pdffonts of Poppler (the tests read PDFs with them)",
    "browser": "Chromium (the tests open the page of the map with it)",
    "locale": "the sources of locales (the variations run in zh_CN.GBK)",
    "java": "Java 17 (Spark runs on it)",
    "maven": "Maven (the jar of Sedona is fetched with it)",
    "compiler": "a C++ compiler and Boost's headers (a peer of the benchmarks is built with them)",
}


class StopError(Exception):
    """What cannot be done here, with the line to type."""


def main(arguments: list[str]) -> int:
    """Bring the checkout to readiness and return the exit code."""
    parser = argparse.ArgumentParser(description="Make this checkout ready to run.")
    parser.add_argument("--dev", action="store_true", help="also what the tests and checks need")
    parser.add_argument(
        "--variations", action="store_true", help="also the programs that `make test-variations` calls"
    )
    parser.add_argument(
        "--bench", action="store_true", help="also the peers that the benchmarks measure against"
    )
    parser.add_argument(
        "--sedona", action="store_true", help="also what the engine on Apache Spark with Sedona needs"
    )
    parser.add_argument(
        "--print", action="store_true", dest="only_print", help="say what is missing, change nothing"
    )
    options = parser.parse_args(arguments)
    try:
        run_with_new_enough_python(arguments)
        kind = "bench" if options.bench else "dev" if options.dev or options.variations else "run"
        kind = "sedona" if options.sedona else kind
        wanted = {
            "dev": kind != "run",
            "variations": options.variations,
            "bench": options.bench,
            "sedona": options.sedona,
        }
        missing = missing_capabilities(**wanted)
        if options.only_print:
            show_plan(missing, kind)
        else:
            install_system_packages(missing)
            check_installed(missing, **wanted)
            make_environment(kind)
            if options.sedona:
                run([str(VENV / "bin" / "python"), str(ROOT / "scripts" / "jars.py")])
    except StopError as stop:
        print(f"[bootstrap] {stop}", file=sys.stderr)
        return 1
    return 0


def say(text: str) -> None:
    """Print a progress line."""
    print(f"[bootstrap] {text}", flush=True)


def run_with_new_enough_python(arguments: list[str]) -> None:
    """Go on in another Python of this machine when this one is too old or cannot make environments."""
    if sys.version_info >= OLDEST and can_make_environments():
        return
    for name in NEWER_NAMES:
        program = shutil.which(name)
        if program and works(program):
            os.execv(program, [program, str(Path(__file__).resolve()), *arguments])  # noqa: S606
    if sys.version_info >= OLDEST:
        return  # what it lacks is a system package, which comes next
    raise StopError(
        f"needs Python 3.11 or newer, this is {sys.version.split()[0]} and none of {', '.join(NEWER_NAMES)} was found. "
        "Install one, for example: apt-get install -y python3.11 python3.11-venv"
    )


def can_make_environments() -> bool:
    """Tell whether this Python has venv and ensurepip; Debian ships them apart."""
    return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))


def works(program: str) -> bool:
    """Tell whether a Python runs, is new enough and can make environments with pip."""
    test = f"import sys, venv, ensurepip; sys.exit(sys.version_info < {OLDEST!r})"
    return subprocess.run([program, "-c", test], capture_output=True, check=False).returncode == 0


def missing_capabilities(
    *, dev: bool, variations: bool = False, bench: bool = False, sedona: bool = False
) -> list[str]:
    """List what this machine cannot do yet; capabilities are tried, package names are not trusted."""
    present = {
        "postgis": bool(os.environ.get("LOWLAND_DSN")) or has_postgis(),
        "font": has_chinese_font(),
        "venv": has_python() or can_make_environments(),
        "gdal": not dev or shutil.which("ogrinfo") is not None,
        "qgis": not dev or has_qgis(),
        "calc": not dev or shutil.which("soffice") is not None,
        "mdb": not dev or shutil.which("mdb-export") is not None,
        "writer": not dev or has_writer(),
        "poppler": not dev or shutil.which("pdftotext") is not None,
        "browser": not dev or shutil.which("chromium") is not None,
        "locale": not variations or can_make_locales(),
        "java": not sedona or has_java(),
        "maven": not sedona or has_jars() or shutil.which("mvn") is not None,
        "compiler": not bench or can_compile(),
    }
    return [name for name, there in present.items() if not there]


def has_postgis() -> bool:
    """Ask the package's own search, so that both always mean the same programs."""
    sys.path.insert(0, str(ROOT / "src"))
    from lowland_gis.db.private.binaries import find_binaries, search_path  # noqa: PLC0415 - needs Python 3.11
    from lowland_gis.db.private.programs import server_account  # noqa: PLC0415
    from lowland_gis.errors import DatabaseError  # noqa: PLC0415

    try:
        find_binaries(search_path(os.environ), server_account())
    except DatabaseError:
        return False
    finally:
        sys.path.pop(0)
    return True


def has_java() -> bool:
    """Ask the package's own search for a Java that Spark runs on."""
    sys.path.insert(0, str(ROOT / "src"))
    from lowland_gis.engines.sedona import needs  # noqa: PLC0415 - needs Python 3.11
    from lowland_gis.errors import UsageError  # noqa: PLC0415

    try:
        needs.java_home()
    except UsageError:
        return False
    finally:
        sys.path.pop(0)
    return True


def has_jars() -> bool:
    """Tell whether a jar lies in .venv already; what is wrong with it is said when jars are fetched."""
    return any((VENV / "share" / "lowland-jars").glob("*.jar"))


def has_qgis() -> bool:
    """Ask the Python of the system, which QGIS is built for."""
    try:
        test = [QGIS_PYTHON, "-c", "import qgis.core"]
        return subprocess.run(test, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def has_writer() -> bool:
    """Look for the part of LibreOffice that opens documents: `soffice` is there without it."""
    program = shutil.which("soffice")
    if program is None:
        return False
    return (
        sys.platform == "darwin"
        or (Path(program).resolve().parent / "swriter").exists()
        or shutil.which("lowriter") is not None
    )


def can_make_locales() -> bool:
    """Look for the compiler of locales and for what the locale zh_CN.GBK is compiled from."""
    there = [Path("/usr/share/i18n/locales/zh_CN"), Path("/usr/share/i18n/charmaps/GBK.gz")]
    return shutil.which("localedef") is not None and all(path.exists() for path in there)


def can_compile() -> bool:
    """Try the compiler on the headers that the native peer includes."""
    if shutil.which("g++") is None:
        return False
    test = ["g++", "-fsyntax-only", "-include", "boost/geometry.hpp", "-x", "c++", "-std=c++20", os.devnull]
    return subprocess.run(test, capture_output=True, check=False).returncode == 0


def has_chinese_font() -> bool:
    """Look for the known files, then ask fontconfig."""
    if any(Path(name).exists() for name in FONT_FILES):
        return True
    lister = shutil.which("fc-list")
    if lister is None:
        return False
    return bool(subprocess.run([lister, ":lang=zh"], capture_output=True, check=False).stdout)


def install_lines(missing: list[str]) -> list[list[str]]:
    """Return the apt commands that bring what is missing.

    >>> install_lines(["font"])[-1][-1]
    'fonts-wqy-microhei'
    """
    wanted = [package for name in missing for package in PACKAGES[name][0].split()]
    apt = [
        "env",
        "DEBIAN_FRONTEND=noninteractive",
        "UCF_FORCE_CONFFOLD=1",
        "apt-get",
        "-q",
        "-o",
        "DPkg::Lock::Timeout=300",
    ]
    lines = [[*apt, "update"], [*apt, "install", "-y", "--no-install-recommends", *wanted]]
    if "postgis" in missing and not Path(CLUSTER_CONF).exists():
        # Debian would start a system-wide server on installing; the project has its own and needs none.
        script = (
            f"mkdir -p {Path(CLUSTER_CONF).parent} && echo 'create_main_cluster = false' > {CLUSTER_CONF}"
        )
        lines.insert(0, ["sh", "-c", script])
    return lines


def install_system_packages(missing: list[str]) -> None:
    """Install with apt as root or by sudo without a password; otherwise say what to type."""
    if not missing:
        return
    for name in missing:
        say(f"missing: {SAID[name]}")
    if shutil.which("apt-get") is None:
        raise StopError(
            "type, with the tool you have:\n" + "\n".join(f"  {PACKAGES[name][1]}" for name in missing)
        )
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if prefix and not may_sudo():
        packages = " ".join(PACKAGES[name][0] for name in missing)
        raise StopError(f"this needs an administrator, once. Type:\n  sudo apt-get install -y {packages}")
    for line in install_lines(missing):
        say("runs: " + " ".join(line))
        if subprocess.run([*prefix, *line], check=False).returncode:
            raise StopError(f"that failed (see above). Mend it, or type it yourself: {' '.join(line)}")


def check_installed(
    missing: list[str], *, dev: bool, variations: bool = False, bench: bool = False, sedona: bool = False
) -> None:
    """Look again after installing: a package of that name need not bring what is needed."""
    still = (
        missing_capabilities(dev=dev, variations=variations, bench=bench, sedona=sedona) if missing else []
    )
    if still:
        lacking = ", ".join(SAID[name] for name in still)
        raise StopError(
            f"still missing after the installation: {lacking}. Is LOWLAND_PG_BIN or CONDA_PREFIX set to another place?"
        )


def may_sudo() -> bool:
    """Tell whether sudo works here without a question."""
    return (
        shutil.which("sudo") is not None
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    )


def make_environment(kind: str) -> None:
    """Make .venv and install the locked packages, unless the stamp says that this was done."""
    if is_ready(kind):
        return
    if not os.access(ROOT, os.W_OK):
        raise StopError(
            f"{ROOT}: you may not write here, so .venv cannot be made. Copy the folder to a place of yours."
        )
    with_lock = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(with_lock, fcntl.LOCK_EX)
        if not is_ready(kind):
            install(kind)
    finally:
        os.close(with_lock)


def install(kind: str) -> None:
    """Install the packages of a kind; the stamp is gone while this is at work."""
    reason = why_unusable()
    if VENV.exists() and not os.access(VENV, os.W_OK):
        raise StopError(f"{VENV}: belongs to another user and is not ready. Type: sudo rm -r '{VENV}'")
    if reason:
        say(f"makes .venv: {reason}")
        if VENV.is_symlink() or VENV.is_file():
            VENV.unlink()
        run([sys.executable, "-m", "venv", "--clear", str(VENV)])
    STAMP.unlink(missing_ok=True)
    say(f"installs the locked packages of requirements/{kind}.txt (some minutes the first time)")
    pip = [*pip_command(), "install", "-q", "--no-input"]
    if not install_quickly(requirement_file(kind)):
        run([*pip, "--require-hashes", "-r", str(requirement_file(kind))])
    run([*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)])
    make_paths_relative()
    say("compiles the program: sums, rules and the search for units (a minute, unless they are kept)")
    # Another user of the folder could not keep it, nor who told Python to write nothing beside sources.
    run([str(VENV / "bin" / "python"), "-m", "compileall", "-q", str(ROOT / "src")])
    for wing in ("overlay", "rules", "units"):
        run([str(VENV / "bin" / "python"), "-m", f"lowland_gis.analysis.{wing}"])
    half = STAMP.with_suffix(".new")
    half.write_text(digest(kind, venv_version()), encoding="utf-8")
    half.replace(STAMP)
    say("ready")


def pip_command() -> list[str]:
    """Return pip of the new environment."""
    return [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]


def install_quickly(requirements: Path) -> bool:
    """Install locked packages with uv, in a third of pip's time; False where it could not, and pip is to do it.

    uv does not read pip's settings, and a bureau's mirror stands there, so they are handed over. Its cache would hold every
    package a second time, and modules are compiled here, since another user of the folder could not keep what Python compiles.
    """
    got = [
        *pip_command(),
        "install",
        "-q",
        "--no-input",
        "--require-hashes",
        "-r",
        str(requirement_file("uv")),
    ]
    uv = [str(VENV / "bin" / "uv"), "pip", "install", "-q", "--no-cache", "--compile-bytecode"]
    environment = clean_environment()
    asked = subprocess.run(
        [*pip_command(), "config", "list"], env=environment, capture_output=True, check=False
    )
    settings = uv_settings(asked.stdout.decode(errors="replace"))
    where = ["--python", str(VENV / "bin" / "python")]
    for step in (got, [*uv, *where, "--require-hashes", "-r", str(requirements)]):
        if subprocess.run(step, env=environment | settings, capture_output=True, check=False).returncode:
            say("uv could not install them; pip does")
            return False
    return True


def uv_settings(listed: str) -> dict[str, str]:
    r"""Return as variables of uv what `pip config list` says of mirrors, hosts and certificates; a variable wins over a file.

    >>> uv_settings("global.index-url='https://mirror/simple'\n:env:.cert='/etc/ca.pem'\nglobal.quiet='1'")
    {'UV_DEFAULT_INDEX': 'https://mirror/simple', 'SSL_CERT_FILE': '/etc/ca.pem'}
    """
    names = {
        "index-url": "UV_DEFAULT_INDEX",
        "extra-index-url": "UV_INDEX",
        "find-links": "UV_FIND_LINKS",
        "trusted-host": "UV_INSECURE_HOST",
        "cert": "SSL_CERT_FILE",
        "no-index": "UV_NO_INDEX",
        "timeout": "UV_HTTP_TIMEOUT",
        "default-timeout": "UV_HTTP_TIMEOUT",
    }
    found: dict[str, str] = {}
    for line in sorted(listed.splitlines(), key=lambda line: line.startswith(":env:")):
        place, _, value = line.partition("=")
        name = names.get(place.rpartition(".")[2])
        if name:
            # What pip separates by lines stands in the list as a backslash and an n.
            several = value.strip().strip("'\"").replace(r"\n", " ").split()
            found[name] = ("," if name == "UV_FIND_LINKS" else " ").join(several)
    return found


def make_paths_relative() -> None:
    """Let the .venv find the package by a relative path.

    Python reads .pth files in the encoding of the locale, so with LC_ALL=C (cron, some ssh) it would not even start
    where the folder's path has Chinese characters.
    """
    source = os.fsencode(ROOT / "src")
    for link in VENV.glob("lib/python*/site-packages/*.pth"):
        if link.read_bytes().strip() == source:
            link.write_text(os.path.relpath(ROOT / "src", link.parent) + "\n", encoding="ascii")


def why_unusable() -> str:
    """Say why .venv must be made anew; empty when it can stay."""
    if not VENV.exists():
        return "there is none yet"
    if not has_python():
        return "its Python is gone or not open to this user"
    settings = venv_settings()
    if tuple(int(part) for part in venv_version().split(".")[:2] if part.isdigit()) < OLDEST:
        return "its Python is too old"
    if not settings.get("command", "").endswith(f" {VENV}"):
        return "it was made in another folder"
    if not (VENV / "lib").is_dir() or not any(VENV.glob("lib/python*/site-packages/pip")):
        return "it is half made"
    return ""


def has_python() -> bool:
    """Tell whether this user can run the Python of .venv; it may be a link into another user's home."""
    return os.access(VENV / "bin" / "python", os.X_OK)


def is_ready(kind: str) -> bool:
    """Compare the stamp with the files it was made from; some kinds serve others too."""
    if not STAMP.is_file() or why_unusable():
        return False
    stamp = STAMP.read_text(encoding="utf-8")
    serving = [each for each, served in KINDS.items() if kind in served]
    return stamp in {digest(each, venv_version()) for each in serving}


def digest(kind: str, version: str) -> str:
    """Return the digest of everything an environment is made from."""
    parts = [kind.encode(), version.encode(), os.fsencode(ROOT)]
    parts += [requirement_file(kind).read_bytes(), (ROOT / "pyproject.toml").read_bytes()]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def requirement_file(kind: str) -> Path:
    """Return the locked requirements of a kind."""
    return ROOT / "requirements" / f"{kind}.txt"


def venv_settings() -> dict[str, str]:
    """Read pyvenv.cfg; empty when there is none."""
    path = VENV / "pyvenv.cfg"
    if not path.is_file():
        return {}
    pairs = (line.partition("=") for line in path.read_text(encoding="utf-8").splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def venv_version() -> str:
    """Return the Python version of .venv, such as 3.11.7."""
    return venv_settings().get("version", "")


def clean_environment() -> dict[str, str]:
    """Return the variables for a step; the caller's Python and pip settings must not reach into the new environment."""
    kept = {name: value for name, value in os.environ.items() if name not in {"PYTHONHOME", "PYTHONPATH"}}
    return kept | {"PIP_USER": "0"}


def run(command: list[str]) -> None:
    """Run a step, or stop with what it was."""
    if subprocess.run(command, env=clean_environment(), check=False).returncode:
        raise StopError(
            f"this step failed (see above), .venv is not ready: {' '.join(command)}\nMend it, then run again."
        )


def show_plan(missing: list[str], kind: str) -> None:
    """Say what a run would do."""
    for line in install_lines(missing) if missing else []:
        say("would run: " + " ".join(line))
    if not is_ready(kind):
        say(f"would install requirements/{kind}.txt into .venv ({why_unusable() or 'it stays'})")
    elif not missing:
        say("nothing to do")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
