"""The simulator on a socket: one aiohttp application, started and stopped in one place."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import AsyncIterator

from aiohttp import web

from . import control, rest, stream
from .names import Names
from .simulator import Simulator

SHUTDOWN_SECONDS = 0.2

log = logging.getLogger(__name__)


def build_app(simulator: Simulator) -> web.Application:
    """Give the application: /v1/api, /ws/stream, /control; anything else is the vendor's web site, so a page."""
    app = web.Application()
    rest.add_routes(app, simulator.cloud)
    app.router.add_get(stream.PATH, simulator.hub.handle)
    control.add_routes(app, simulator)
    return app


async def _live(simulator: Simulator) -> None:
    while True:
        await asyncio.sleep(simulator.timing.tick)
        try:
            simulator.world.tick()
        except Exception:
            log.exception("The simulated market stumbled.")


@contextlib.asynccontextmanager
async def running(simulator: Simulator, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve the simulator while the block runs and give its base URL; port 0 takes a free one."""
    runner = web.AppRunner(build_app(simulator), access_log=None, shutdown_timeout=SHUTDOWN_SECONDS)
    await runner.setup()
    life = asyncio.create_task(_live(simulator))
    try:
        await web.TCPSite(runner, host, port).start()
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{runner.addresses[0][1]}"
    finally:
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        simulator.world.stop()
        await simulator.hub.close()
        await simulator.cloud.close()
        await runner.cleanup()


async def serve(host: str, port: int, token: str | None, names: str = Names.DATED) -> None:
    """Run a simulator until cancelled; the first line on stdout says where it is, the second where its levers are."""
    async with running(Simulator(token=token, names=Names(names)), host, port) as url:
        sys.stdout.write(f"CrossTrade simulator at {url} (token {'any' if token is None else token})\n")
        sys.stdout.write(f"Its levers: {url}/control (docs/simulator.md says what they do)\n")
        sys.stdout.flush()
        await asyncio.Event().wait()
