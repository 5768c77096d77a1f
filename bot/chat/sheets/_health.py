"""``/health``: a line for each link, then what to do, then what CrossTrade's requests were made for."""

from bot.chat.tables import WIDTH, Section, messages
from bot.desk.health.watchdog import Health
from bot.trading.health.chain import Grade, LinkStatus

MARKS = {Grade.GOOD: "\u2713", Grade.SLOW: "\u2026", Grade.DOWN: "\u2717"}
ALL_WELL = "Every link stands."
LABEL = 13


def health(report: Health) -> list[str]:
    """The chain, in the order in which an order meets its links; what is down first among what to do, details last."""
    rows = tuple(row for line in report.lines for row in _rows(line))
    bad = sorted((line for line in report.lines if line.mend), key=lambda line: line.grade is not Grade.DOWN)
    notes = tuple(f"{MARKS[line.grade]} **{line.part}** {line.mend}" for line in bad)
    details = tuple(line.detail for line in report.lines if line.detail)
    foot = f"-# as of {report.at:%H:%M:%S} UTC"
    heading = "**Health**" if any(line.grade is not Grade.GOOD for line in report.lines) else f"**Health** \u00b7 {ALL_WELL}"
    return messages([Section(heading, rows, notes + details)], foot)


def _rows(line: LinkStatus) -> tuple[str, ...]:
    """One line, or two where the name is too long to stand beside how it does."""
    label = line.name or str(line.part)
    beside = f"{MARKS[line.grade]} {label:<{LABEL}} {line.words}"
    if len(beside) <= WIDTH:
        return (beside,)
    return (f"{MARKS[line.grade]} {label}", f"  {line.words}")
