"""A browser without a window, driven over a pipe by its own protocol: https://chromedevtools.github.io/devtools-protocol/."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PATIENCE_S = 60
_READY = "document.documentElement?.dataset.ready === 'yes'"
_QUIET = [
    # What it opens is ours; a machine may let nobody, or only not root, make namespaces of his own.
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-extensions", "--window-size=1400,900", "--remote-debugging-pipe",
]  # fmt: skip


class Browser:
    """A page of Chromium: what it was asked for over the network, and what went wrong in it, are kept."""

    def __init__(self, to: int, out: int) -> None:
        self._to, self._out, self._rest, self._number, self._session = to, out, b"", 0, None
        self.requests: list[str] = []
        self.errors: list[str] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **given: Any) -> Any:
        """Call a method of the protocol and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": given}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while (found := self._next()).get("id") != self._number:
            self._keep(found)
        if "error" in found:
            raise AssertionError(f"{method}: {found['error']}")
        return found["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            if not select.select([self._out], [], [], _PATIENCE_S)[0]:
                raise AssertionError(f"the browser has said nothing for {_PATIENCE_S} seconds; {self.errors}")
            read = os.read(self._out, 1 << 20)
            if not read:
                raise AssertionError("the browser has ended")
            self._rest += read
        one, _, self._rest = self._rest.partition(b"\0")
        return json.loads(one)

    def _keep(self, found: dict[str, Any]) -> None:
        given = found.get("params", {})
        if found.get("method") == "Network.requestWillBeSent":
            self.requests.append(given["request"]["url"])
        elif found.get("method") == "Runtime.exceptionThrown":
            self.errors.append(str(given["exceptionDetails"].get("exception", given)))
        elif found.get("method") == "Log.entryAdded":
            self.errors.append(given["entry"]["text"])

    def open(self, address: str, ready: str = _READY) -> None:
        """Go to an address and wait until the page says that it is ready."""
        self.call("Page.navigate", url=address)
        until = time.monotonic() + _PATIENCE_S
        while not self.run(ready):
            if time.monotonic() > until:
                raise AssertionError(f"{address}: not ready; {self.errors}")
            time.sleep(0.05)

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page; of a promise, what it comes to."""
        done = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in done:
            raise AssertionError(done["exceptionDetails"])
        return done["result"].get("value")

    def click(self, x: float, y: float) -> None:
        """Press and release the mouse at a place of the window."""
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def picture(self, path: Path) -> None:
        """Write what the window shows as a PNG."""
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def browsing(folder: Path, account: int | None = None) -> Iterator[Browser]:
    """Yield a browser that keeps its profile in a folder; `account` is the number of the user that it runs as, where this is root."""
    program = shutil.which("chromium")
    assert program is not None, "type: python3 scripts/bootstrap.py --dev"
    command = [program, *_QUIET, f"--user-data-dir={folder}"]
    to_read, to = os.pipe()
    out, out_write = os.pipe()

    def pipes() -> None:
        # The protocol is read from 3 and written to 4; above all of ours, so that neither is closed by the other.
        high = [os.dup2(to_read, 103), os.dup2(out_write, 104)]
        os.dup2(high[0], 3)
        os.dup2(high[1], 4)

    other = {} if account is None else {"user": account, "group": account, "extra_groups": []}
    process = subprocess.Popen(
        command, preexec_fn=pipes,  # noqa: PLW1509 - it only moves two descriptors
        close_fds=False, env=os.environ | {"HOME": str(folder)},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **other,
    )  # fmt: skip
    os.close(to_read)
    os.close(out_write)
    try:
        yield Browser(to, out)
    finally:
        process.terminate()
        process.wait(30)
        os.close(to)
        os.close(out)
