"""The file HALT: a kill switch for when Discord, or the bot's own loop, is stuck. Whoever can write beside the journal can halt.

It is looked for at every claim, right before an order leaves. Nothing is ever written to it.
"""

from pathlib import Path

from sqlalchemy.engine import make_url

NAME = "HALT"
LONGEST = 200
# Enough for a line in any encoding; nobody knows what was put there.
_MOST_BYTES = 4 * LONGEST


class HaltFile:
    """Tells whether the file is there, and why.

    Attributes:
        path: where it is looked for.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self) -> str | None:
        """Its first line, perhaps empty; ``None`` while there is no such file. What can't be looked for counts as there."""
        try:
            # One call to the system while all is well: this stands before every order.
            self.path.lstat()
        except FileNotFoundError:
            return None
        except OSError as error:
            return f"it can't be told whether it is there: {error.strerror}"
        return self._why()

    def _why(self) -> str:
        # A pipe or a device of that name would be read for ever, and halts by its name alone.
        try:
            if not self.path.is_file():
                return ""
            with self.path.open("rb") as file:
                lines = file.read(_MOST_BYTES).decode("utf-8-sig", "replace").splitlines()
        except OSError:
            return ""
        return next((line.strip()[:LONGEST] for line in lines if line.strip()), "")


def beside_the_journal(database_url: str) -> HaltFile:
    """The file in the folder of an SQLite journal; for a server's, in the folder that the bot was started in."""
    address = make_url(database_url)
    folder = Path(address.database or "").resolve().parent if address.get_backend_name() == "sqlite" else Path.cwd()
    return HaltFile(folder / NAME)
