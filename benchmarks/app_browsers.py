"""What benchmarks/app.py measures with: the app on a free port, readers in a real Chromium, and a count of all that they receive."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from playwright.async_api import Browser, BrowserContext, CDPSession, Error, Frame, Locator, Page
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from travel_measure import peak_mb

ROOT = Path(__file__).parents[1]
CHROMIUM = next((p for p in map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome")) if p), None)
# Chromium's own calls home off, every name but our address unknown: as with the cable out.
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
VIEW = {"width": 1500, "height": 1000}
PATIENCE_MS = 180_000
# Marks of localities are the plain circles with a tooltip; every other layer gives its marks a shape.
PLACES = "Object.values(window.map._layers).filter(l => l.getRadius && l.getTooltip() && !l.options.shape)"
SHOWN = f"count => window.map && {PLACES}.length === count"
RINGED = ("([lat, lon]) => Object.values(window.map._layers).some(l => l.getRadius && l.options.fill === false"
          " && Math.abs(l.getLatLng().lat - lat) < 2e-5 && Math.abs(l.getLatLng().lng - lon) < 2e-5)")
TWO_FRAMES = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
_READ = 20_000  # longer messages only count
_GONE = ("detached", "destroyed", "navigat", "closed")


class Server:
    """The app as a process of its own; remembers the most memory that it and its children held."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port), "--server.headless", "true"]
        self._process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PLANNER_HOME": str(home)},
                                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._most_mb, self._over = 0.0, threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def _family(self) -> list[int]:
        found = [self._process.pid]
        for pid in found:
            with contextlib.suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    found += [int(child) for child in (task / "children").read_text().split()]
        return found

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            self._most_mb = max(self._most_mb, sum(map(peak_mb, self._family())))

    def peak_gib(self, *, anew: bool = False) -> float:
        """Most memory so far, or since it was last asked `anew`."""
        found = max(self._most_mb, sum(map(peak_mb, self._family()))) / 1024
        if anew:
            for pid in self._family():
                with contextlib.suppress(OSError):
                    Path(f"/proc/{pid}/clear_refs").write_text("5")
            self._most_mb = 0.0
        return found

    def wait(self) -> None:
        """Return when it answers."""
        until = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=5):
                    return
            except (urllib.error.URLError, ConnectionError):
                if self._process.poll() is not None or time.monotonic() > until:
                    sys.exit("the app does not start")
                time.sleep(0.2)

    def stop(self) -> None:
        self._over.set()
        self._process.terminate()
        self._process.wait(timeout=60)


@contextlib.contextmanager
def served(home: Path) -> Iterator[Server]:
    """The app on what was prepared under a home folder."""
    server = Server(home)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


@dataclass
class Wire:
    """What one page received and sent, as Chromium's own protocol tells it."""

    frames: list[tuple[float, bool, int, str]] = field(default_factory=list)  # seconds, sent, bytes, what it was
    files: list[tuple[str, int]] = field(default_factory=list)  # address, bytes received with headers
    _asked: dict[str, str] = field(default_factory=dict)

    async def listen(self, session: CDPSession) -> None:
        """Begin to count."""
        session.on("Network.requestWillBeSent", lambda told: self._asked.update({told["requestId"]: told["request"]["url"]}))
        session.on("Network.loadingFinished", lambda told: self.files.append(
            (self._asked.get(told["requestId"], ""), int(told["encodedDataLength"]))))
        session.on("Network.webSocketFrameReceived", lambda told: self._frame(told, sent=False))
        session.on("Network.webSocketFrameSent", lambda told: self._frame(told, sent=True))
        await session.send("Network.enable")

    def _frame(self, told: dict[str, Any], *, sent: bool) -> None:
        text = told["response"]["payloadData"]
        if told["response"]["opcode"] != 2:
            self.frames.append((told["timestamp"], sent, len(text.encode()), "text"))
            return
        size, what = len(text) * 3 // 4 - text[-2:].count("="), "long"
        if size <= _READ:
            message = BackMsg() if sent else ForwardMsg()
            message.ParseFromString(base64.b64decode(text))
            what = str(message.WhichOneof("type"))
        self.frames.append((told["timestamp"], sent, size, what))

    def since(self, frames: int = 0, files: int = 0) -> dict[str, int]:
        """Bytes since the first so many frames and files, by where they come from."""
        found = {"bundle": 0, "leaflet": 0, "media": 0, "received": 0, "sent": 0}
        for address, size in self.files[files:]:
            path = urlparse(address).path
            found["leaflet" if path.startswith("/app/static/") else "media" if path.startswith("/media/") else "bundle"] += size
        for _, sent, size, _ in self.frames[frames:]:
            found["sent" if sent else "received"] += size
        return found

    def script_s(self, frames: int) -> tuple[float, int]:
        """From the first rerun asked for to the last script that ended, in seconds; and how many were asked for."""
        asked = [at for at, sent, _, what in self.frames[frames:] if sent and what == "rerun_script"]
        ended = [at for at, sent, _, what in self.frames[frames:] if not sent and what == "script_finished"]
        return (ended[-1] - asked[0] if asked and ended else float("nan")), len(asked)


@dataclass
class Took:
    """What one interaction took."""

    seconds: float
    script_s: float
    reruns: int
    size: dict[str, int]


class Reader:
    """Someone in a session of their own: types, clicks (counted), and waits until the page has settled."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self.page, self.session, self.wire = page, session, Wire()
        self.clicks = 0
        self.faults: list[str] = []
        page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        page.on("response", lambda got: self.faults.append(f"{got.status} {got.url}") if got.status >= 400 else None)

    async def open(self, address: str, places: int) -> float:
        """Seconds from asking for the page to a map with so many localities."""
        began = time.perf_counter()
        await self.page.goto(address, wait_until="commit")
        await self.map(places)
        await self.idle()
        return time.perf_counter() - began

    async def idle(self) -> None:
        """No script is running."""
        await self.page.locator("[data-testid=stApp][data-test-script-state=notRunning]").wait_for()

    async def quiet(self, still_s: float = 0.4) -> None:
        """No script is running, and nothing has come for a while."""
        seen = -1
        while seen != len(self.wire.frames):
            seen = len(self.wire.frames)
            await asyncio.sleep(still_s)
            await self.idle()

    async def frame(self) -> Frame:
        """The frame of the map that is on the page now."""
        holder = self.page.locator("iframe[title*=st_folium]").last
        while True:
            await holder.wait_for()
            handle = await holder.element_handle()
            frame = await handle.content_frame() if handle else None
            if frame is not None and "streamlit_folium" in frame.url:
                return frame
            await asyncio.sleep(0.02)

    async def _in_map(self, look: Callable[[Frame], Awaitable[Any]]) -> Any:
        """Ask the map, again if it was replaced meanwhile."""
        while True:
            try:
                return await look(await self.frame())
            except Error as fault:
                if not any(word in str(fault) for word in _GONE) or self.page.is_closed():
                    raise
                await asyncio.sleep(0.05)

    async def map(self, places: int) -> None:
        """The map shows just so many localities, drawn."""
        await self._in_map(lambda frame: frame.wait_for_function(SHOWN, arg=places))
        await self._in_map(lambda frame: frame.evaluate(TWO_FRAMES))

    async def ask_map(self, script: str, arg: Any = None) -> Any:
        """What a script says in the map's frame."""
        return await self._in_map(lambda frame: frame.evaluate(script, arg))

    async def ringed(self, lat: float, lon: float) -> None:
        """The ring of what is chosen stands there."""
        await self._in_map(lambda frame: frame.wait_for_function(RINGED, arg=[lat, lon]))

    async def view(self) -> Any:
        return await self.ask_map("() => { const c = window.map.getCenter(); return [c.lat, c.lng, window.map.getZoom()]; }")

    async def hover(self, what: Locator) -> None:
        """The mouse over it, once it stands still."""
        await what.hover()

    async def press(self) -> None:
        """A click where the mouse is."""
        self.clicks += 1
        await self.page.mouse.down()
        await self.page.mouse.up()

    async def click(self, what: Locator) -> None:
        await self.hover(what)
        await self.press()

    async def type_in(self, label: str, text: str, option: str) -> Locator:
        """Open a list by a click, type, and bring the mouse over the one option that is meant."""
        await self.click(self.page.get_by_label(label).first)
        await self.page.keyboard.insert_text(text)
        found = self.page.get_by_role("option", name=option, exact=True)
        await self.hover(found)
        return found

    async def choose(self, label: str, text: str, option: str = "") -> None:
        """Choose one option of a list: two clicks and what is typed."""
        await self.type_in(label, text, option or text)
        await self.press()
        await self.page.keyboard.press("Escape")

    async def drop(self, label: str) -> None:
        """Bring the cursor to a list of several; Backspace then takes its last choice back."""
        await self.page.keyboard.press("Escape")
        await self.page.get_by_label(label).first.focus()

    async def chips(self, label: str) -> list[str]:
        """What is chosen in a list of several."""
        told = await self.page.locator("[data-testid=stMultiSelect]").filter(has=self.page.get_by_label(label)).first.inner_text()
        return [line.strip() for line in told.splitlines() if line.strip() and line.strip() not in (label, "Todos")]

    async def over(self, lat: float, lon: float, zoom: int = 13) -> None:
        """Bring a place to the middle of the map, the map into the window, and the mouse over the place."""
        await self.page.locator("iframe[title*=st_folium]").last.scroll_into_view_if_needed()
        x, y = await self.ask_map(
            "([lat, lon, zoom]) => { window.map.setView([lat, lon], zoom, {animate: false});"
            " const p = window.map.latLngToContainerPoint([lat, lon]); return [p.x, p.y]; }", [lat, lon, zoom])
        await self.ask_map(TWO_FRAMES)
        box = await self.page.locator("iframe[title*=st_folium]").last.bounding_box()
        assert box is not None
        await self.page.mouse.move(box["x"] + x, box["y"] + y)

    def link(self, title: str) -> Locator:
        """A page in the list of pages."""
        return self.page.locator("[data-testid=stSidebarNav] a").filter(has_text=title)

    async def titled(self, title: str) -> None:
        """The page's own title stands on it, and no script is running."""
        await self.page.get_by_role("heading", name=f"{title}:").wait_for()
        await self.idle()

    async def go(self, title: str) -> None:
        await self.click(self.link(title))
        await self.titled(title)

    async def card(self, key: str) -> None:
        """The card of the place with that key."""
        await self.page.locator(".ficha").filter(has_text=key).first.wait_for()

    async def timed(self, act: Callable[[], Awaitable[Any]], done: Callable[[], Awaitable[Any]]) -> Took:
        """What it takes from an act until it is done and no script is running."""
        await self.quiet()
        frames, files = len(self.wire.frames), len(self.wire.files)
        began = time.perf_counter()
        await act()
        await done()
        await self.idle()
        seconds = time.perf_counter() - began
        await self.quiet()
        return Took(seconds, *self.wire.script_s(frames), self.wire.since(frames, files))

    async def heap_mb(self) -> float:
        """JavaScript's memory after a collection."""
        await self.session.send("HeapProfiler.collectGarbage")
        told = await self.session.send("Performance.getMetrics")
        return float(next(one["value"] for one in told["metrics"] if one["name"] == "JSHeapUsedSize") / 2**20)

    async def close(self) -> None:
        await self.page.context.close()


async def reader(browser: Browser, context: BrowserContext | None = None, patience_ms: float = PATIENCE_MS) -> Reader:
    """A new reader, in a session of their own: with nothing in the browser's cache, or with the cache of a context."""
    context = context or await browser.new_context(viewport=VIEW, accept_downloads=True)
    page = await context.new_page()
    session = await context.new_cdp_session(page)
    found = Reader(page, session)
    page.set_default_timeout(patience_ms)
    await session.send("Performance.enable")
    await session.send("HeapProfiler.enable")
    await found.wire.listen(session)
    return found


async def dragged(page: Page, frame: Frame | Page, box: dict[str, float]) -> str:
    """Frame times while the map is dragged and let go."""
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    await page.mouse.move(x, y)
    await page.mouse.down()
    await frame.evaluate("() => { const at = window.plannerDrag = []; const step = now => { at.push(now);"
                         " if (window.plannerDrag === at) requestAnimationFrame(step); }; requestAnimationFrame(step); }")
    for k in range(1, 91):
        await page.mouse.move(x - 2 * k, y - k)
        await asyncio.sleep(0.016)
    await page.mouse.up()
    await asyncio.sleep(0.5)  # what is drawn anew when it is let go counts
    at = await frame.evaluate("() => { const at = window.plannerDrag; window.plannerDrag = null; return at; }")
    gaps = [after - before for before, after in zip(at, at[1:], strict=False)]
    return f"median {statistics.median(gaps):.0f} ms, worst {max(gaps):.0f} ms, {sum(gap > 50 for gap in gaps)} of {len(gaps)} over 50 ms"
