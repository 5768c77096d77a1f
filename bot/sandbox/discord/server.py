"""The local Discord on a port: REST, gateway, files and control of one `Local`.

What each of them does is in its own module.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext

from aiohttp import web

from bot.sandbox.discord.control import control_routes
from bot.sandbox.discord.local import Local


class LocalDiscord(Local):
    """A Discord for one bot; see `Local` for what it takes and can.

    Attributes:
        base: `http://127.0.0.1:PORT`, empty while it doesn't run.

    """

    base: str = ""

    @property
    def api_url(self) -> str:
        """The value for DISCORD_API_URL."""
        return f"{self.base}/api/v10"

    @property
    def gateway_url(self) -> str:
        """The value for DISCORD_GATEWAY_URL."""
        return f"{self.base.replace('http', 'ws', 1)}/gateway"

    @asynccontextmanager
    async def running(self, host: str = "127.0.0.1", port: int = 0, *, pages: bool = False) -> AsyncIterator[str]:
        """Serve; gives the base address, `http://127.0.0.1:PORT`, where the page is too if wanted. Port 0: a free one."""
        app = web.Application(client_max_size=32 * 1024 * 1024)
        app.router.add_get("/gateway", self.gateway.handle)
        app.router.add_get("/gateway/", self.gateway.handle)
        app.router.add_route("*", r"/api/v{version:\d+}/{path:.*}", self.rest.handle)
        app.router.add_get("/cdn/{path:.*}", self.rest.file)
        app.add_routes(control_routes(self))
        app.router.add_get("/{room:[a-z]*}", self.pages.show)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port)
            await site.start()
            number = runner.addresses[0][1]
            self.base = f"http://{host}:{number}"
            async with self.pages.running() if pages else nullcontext():
                yield self.base
        finally:
            await self.gateway.shut()
            await runner.cleanup()
