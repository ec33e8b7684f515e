"""Take the README's pictures of the sidecar's page: the real program in the simulated VPC, in a real browser.

python -m tools.screenshots FOLDER [SCENARIO …]
"""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from selenium.webdriver.support.ui import WebDriverWait

from tests.page.browser import Browser, browsing

# The picture's name, and the scenario that it shows.
PICTURES = {"page-healthy": "healthy", "page-failing": "s3-endpoint-policy", "page-half-dead": "nacl-one-zone"}
WIDTH, HEIGHT = 1280, 1040
INTERVAL = 10  # seconds; a round of the half-dead one takes six
ROUNDS = 12  # with fewer the strips are too short to be recognized
PATIENCE = 300  # seconds


def main(folder: Path, scenarios: list[str]) -> None:
    wanted = {name: scenario for name, scenario in PICTURES.items() if not scenarios or scenario in scenarios}
    with ExitStack() as stack:
        served = {name: stack.enter_context(serving(scenario)) for name, scenario in wanted.items()}
        browser = stack.enter_context(browsing())
        for name, url in served.items():
            _wait_for_rounds(url)
            picture = folder / f"{name}.png"
            picture.write_bytes(_taken(browser, url))
            print(f"{picture}: {picture.stat().st_size / 1000:.0f} KB")


@contextmanager
def serving(scenario: str) -> Iterator[str]:
    """The URL of a sidecar in the scenario's VPC."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serve = ["demo", "--serve", scenario, "--listen", f"127.0.0.1:{port}", "--interval", str(INTERVAL)]
    command = [sys.executable, "-m", "probe", *serve]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as sidecar:
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            sidecar.terminate()


def _wait_for_rounds(url: str) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url}history", timeout=5) as answer:
                if len(json.load(answer)["rounds"]) >= ROUNDS:
                    return
        except OSError:  # it does not listen yet
            pass
        time.sleep(1)
    raise SystemExit(f"{url} had no {ROUNDS} rounds within {PATIENCE} s")


def _taken(browser: Browser, url: str) -> bytes:
    browser.look(width=WIDTH, height=HEIGHT)
    browser.get(url)
    ticking = "return !document.querySelector('[data-tick]:empty')"
    WebDriverWait(browser, 10).until(lambda _: browser.execute_script(ticking))
    return base64.b64decode(browser.get_screenshot_as_base64())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
