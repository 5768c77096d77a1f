"""The lines of the check, in their order, and the exit code that follows from them."""

from collections.abc import Callable
from enum import Enum, StrEnum


class CheckPart(StrEnum):
    """Parts that are checked, in this order; each gets one line."""

    SETTINGS = "settings"
    POLICY = "policy"
    JOURNAL = "journal"
    DISCORD_TOKEN = "Discord token"  # noqa: S105  a part's name
    GUILD = "guild"
    CHANNELS = "channel permissions"
    ROLES = "roles"
    CROSSTRADE_TOKEN = "CrossTrade token"  # noqa: S105  a part's name
    ADD_ON = "add-on connected"
    ACCOUNTS = "accounts matched"
    CLOCK = "clock"


class Verdict(Enum):
    """Finding of a check; the exit code of the first one in this order counts."""

    WRONG = 2
    UNREACHABLE = 69
    FAILED = 1
    SKIPPED = -1
    GOOD = 0


class Report:
    """Says one line for each part, without secrets and without anything that a terminal would obey."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._hide: Callable[[str], str] = str
        self._verdicts: dict[CheckPart, Verdict] = {}
        self._texts: dict[CheckPart, str] = {}
        self._invite: str | None = None

    def hide(self, redact: Callable[[str], str]) -> None:
        """Take what ``redact`` takes out of every line from now on."""
        self._hide = redact

    def add(self, part: CheckPart, verdict: Verdict, text: str = "") -> None:
        """Say what was found; of a good part the text is a remark, of any other what to do."""
        self._verdicts[part], self._texts[part] = verdict, self._shown(text)
        if verdict is Verdict.GOOD:
            text = f"good ({text})" if text else "good"
        self.tell(f"{part}: {text}")

    def skip(self, part: CheckPart, why: str) -> None:
        """Say that a part could not be looked at."""
        self.add(part, Verdict.SKIPPED, f"not checked, as {why}")

    def skip_the_rest(self, why: str) -> None:
        """Say so of every part that has no line yet."""
        for part in CheckPart:
            if part not in self._verdicts:
                self.skip(part, why)

    def invite(self, link: str) -> None:
        """Say the link by which the bot is invited to a server."""
        self._invite = self._shown(link)
        self.tell(f"invite link: {link}")

    def tell(self, line: str) -> None:
        """Say a line that belongs to no part."""
        self._say(self._shown(line))

    @property
    def plain(self) -> dict[str, object]:
        """All that was found, for programs: each part with its verdict and text, and the invite link if it is known."""
        parts = [
            {"part": part.value, "verdict": verdict.name.lower(), "text": self._texts[part]}
            for part, verdict in self._verdicts.items()
        ]
        return {"parts": parts, "invite": self._invite}

    def _shown(self, text: str) -> str:
        return "".join(letter if letter.isprintable() else "?" for letter in self._hide(text))

    @property
    def exit_code(self) -> int:
        """The code of what must be mended first."""
        found = set(self._verdicts.values())
        return next((verdict.value for verdict in Verdict if verdict in found and verdict is not Verdict.SKIPPED), 0)
