"""``python -m bot demo``: the real bot between a page that looks like Discord and a simulated NinjaTrader.

Here is only the door, which says what is missing before it opens. ``stage`` starts and stops the parts, ``guide`` is what a
person reads, ``story`` is what ``--script`` plays, ``play`` puts them together.
"""

from importlib.util import find_spec

from bot.errors import DeskError

# What the demo imports, and the package that brings it: the local Discord and the four that its page is drawn with.
PACKAGES = {
    "simcord": "simcord",
    "linkify_it": "linkify-it-py",
    "markdown_it": "markdown-it-py",
    "PIL": "pillow",
    "regex": "regex",
}
HIGHEST_PORT = 65535


async def main(*, port: int | None, script: bool, websocket: bool) -> int:
    """Run the demo until it is told to stop, or play its story; returns the exit code.

    Args:
        port: of the page, on loopback; ``None`` takes a free one.
        script: play the story and end instead of waiting for a person.
        websocket: let orders travel by the WebSocket instead of REST.

    Raises:
        DeskError: a package is missing, the port can't be opened, the bot ended, or a step of the story failed.
    """
    if missing := [package for name, package in PACKAGES.items() if find_spec(name) is None]:
        raise DeskError(f"The demo needs {', '.join(missing)}; install what requirements/demo.txt lists, then start it again.")
    if port is not None and not 0 <= port <= HIGHEST_PORT:
        raise DeskError(f"--port must lie between 0 and {HIGHEST_PORT}; leave it out for a free one.")
    from bot.sandbox.demo.play import play  # noqa: PLC0415 - imports what was just looked for

    return await play(port=port or 0, script=script, websocket=websocket)
