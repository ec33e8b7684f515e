"""Finish the environment that the image ships: remove files that the program never reads, and compile the rest.

The image's build runs it. The tests of the built image (`tests/lab/test_image.py`) must pass without these files.
"""

from __future__ import annotations

import importlib.util
import pkgutil
import py_compile
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

# botocore describes every service of AWS. These stay: the services that the program calls, most of them for `inspect`
# and `up`, and those that botocore itself calls for an operator's credentials (sign-in, SSO, roles).
SERVICES = (
    "cloudformation",
    "ec2",
    "ecr",
    "ecs",
    "iam",
    "kms",
    "logs",
    "network-firewall",
    "organizations",
    "route53",
    "route53profiles",
    "route53resolver",
    "s3",
    "signin",
    "sso",
    "sso-oidc",
    "sts",
)
# Among others rich's syntax highlighting and cffi's C parser, which neither imports for what the program uses.
UNREAD = ("pygments", "markdown_it", "mdurl", "pycparser", "boto3/data", "boto3/examples")
# The simulated VPC needs trustme, which is not in the image.
WITHOUT_TRUSTME = ("probe.sim", "probe.rehearsal")
# Imported within functions of the program and of the libraries.
LATE = (
    "_strptime",
    "botocore.auth",
    "botocore.credentials",
    "botocore.utils",
    "cryptography.x509",
    "ctypes",
    "encodings.ascii",
    "encodings.idna",
    "encodings.latin_1",
    "rich.progress",
)
# Nothing changes in an image, so imports need not check whether a source is newer.
UNCHECKED = py_compile.PycInvalidationMode.UNCHECKED_HASH
PACKAGES = Path(sysconfig.get_path("purelib"))
SCRIPTS = Path(sysconfig.get_path("scripts"))
STANDARD_LIBRARY = sysconfig.get_path("stdlib")


def main() -> None:
    assert sys.pycache_prefix, "PYTHONPYCACHEPREFIX must be set to the directory of the bytecode"
    drop_unread(PACKAGES)
    drop_scripts()
    for source in sorted({*PACKAGES.rglob("*.py"), *standard_library()}):
        py_compile.compile(str(source), doraise=True, invalidation_mode=UNCHECKED)


def drop_unread(packages: Path) -> None:
    """Remove unread files from a directory of installed packages."""
    for service in (packages / "botocore" / "data").iterdir():
        if service.is_dir() and service.name not in SERVICES:
            shutil.rmtree(service)
    for unread in UNREAD:
        shutil.rmtree(packages / unread, ignore_errors=True)


def drop_scripts() -> None:
    for script in SCRIPTS.iterdir():
        if script.is_file() and not script.name.startswith(("ecr-probe", "python")):
            script.unlink()


def standard_library() -> Iterator[Path]:
    """The modules of Python's own library that the program imports: slim base images have no bytecode of them."""
    import probe

    names = [module.name for module in pkgutil.walk_packages(probe.__path__, "probe.")]
    for name in (*names, *LATE):
        if not name.startswith(WITHOUT_TRUSTME) and name != "probe.__main__":
            importlib.import_module(name)
    for name in list(sys.modules):
        file = _source(name)
        if file.startswith(STANDARD_LIBRARY) and file.endswith(".py"):
            yield Path(file)


def _source(name: str) -> str:
    """The file by the import system: some modules replace themselves in `sys.modules` during their import."""
    try:
        spec = importlib.util.find_spec(name) if name != "__main__" else None
    except (ImportError, ValueError):
        spec = None
    return (spec.origin if spec else None) or ""


if __name__ == "__main__":
    main()
