"""This machine's headless Chromium, with options that stop it from contacting other hosts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from selenium.webdriver import Chrome, ChromeOptions, ChromeService

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
)


def installed() -> tuple[str, str] | None:
    """The paths of the browser and its driver; None if one of them is missing."""
    browser = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    driver = shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


class Browser(Chrome):
    """Chrome with the functions of its developer tools that the tests use."""

    def _messages(self, log: str) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.get_log(log)  # type: ignore[no-untyped-call]
        return entries

    def look(self, *, width: int, height: int = 900, dark: bool = False, reduced_motion: bool = True) -> None:
        """Set the size and preferences of the screen."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}
        self.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if reduced_motion else "no-preference"},
        ]
        self.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def scripts(self, allowed: bool) -> None:
        self.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not allowed})

    def complaints(self) -> list[str]:
        """The console's messages since the last call: errors, and violations of the content security policy."""
        return [str(entry["message"]) for entry in self._messages("browser")]

    def requested(self) -> set[str]:
        """The URLs that were requested since the last call."""
        messages = [json.loads(entry["message"])["message"] for entry in self._messages("performance")]
        return {
            str(message["params"]["request"]["url"])
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        }

    def whole(self) -> str:
        """A picture of the whole page, as base64 of a PNG."""
        size: dict[str, Any] = self.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        shot = {"format": "png", "captureBeyondViewport": True, "clip": clip}
        return str(self.execute_cdp_cmd("Page.captureScreenshot", shot)["data"])


@contextmanager
def browsing() -> Iterator[Browser]:
    """A browser with a temporary profile. Raises RuntimeError if none is installed."""
    programs = installed()
    if programs is None:
        raise RuntimeError("chromium and chromedriver are needed: apt-get install chromium chromium-driver")
    browser, driver = programs
    # A snap or a package may need files below HOME, which the tests replace.
    with TemporaryDirectory(prefix="ecr-probe-browser-", ignore_cleanup_errors=True) as home:
        options = ChromeOptions()
        options.binary_location = browser
        for word in (*_QUIET, f"--user-data-dir={Path(home, 'profile')}"):
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = ChromeService(executable_path=driver, env={"HOME": home, "PATH": "/usr/bin:/bin", "TMPDIR": home})
        chrome = Browser(options=options, service=service)
        try:
            yield chrome
        finally:
            chrome.quit()
