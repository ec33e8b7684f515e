"""Pin the base image of container/base.Dockerfile to the digest that its tag has now: `make base`.

python -m tools.base_image

skopeo reads the registry. The digest is that of the index, which has every platform.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
from pathlib import Path

FILE = Path(__file__).parents[1] / "container" / "base.Dockerfile"
PLATFORMS = {"amd64", "arm64"}
_LINE = re.compile(r"^FROM (?P<tag>[^@\s]+)@(?P<digest>sha256:[0-9a-f]{64})$", re.MULTILINE)


def main() -> None:
    text = FILE.read_text()
    pinned = _LINE.search(text)
    if pinned is None:
        raise SystemExit(f"{FILE} has no line FROM NAME:TAG@sha256:…")
    digest = current(pinned["tag"])
    FILE.write_text(text.replace(pinned["digest"], digest))
    print(f"{pinned['tag']}: {pinned['digest']} → {digest}" if digest != pinned["digest"] else f"{digest} is current")


def current(tag: str) -> str:
    """The digest of the index that `tag` names. Ends the program if it lacks a platform of the image."""
    command = ("skopeo", "inspect", "--raw", f"docker://{tag}")
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    found = {entry.get("platform", {}).get("architecture") for entry in json.loads(raw).get("manifests", ())}
    if missing := PLATFORMS - found:
        raise SystemExit(f"{tag} has no image for {', '.join(sorted(missing))}")
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


if __name__ == "__main__":
    main()
