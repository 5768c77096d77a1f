"""``python -m bot check``: tells for each part of the desk whether it is good, or what to do.

Nothing is changed anywhere but that the journal is made or brought up to date, as ``run`` would do. Discord is asked by plain
HTTP and CrossTrade by REST, never by its WebSocket: a second one would cut that of a running bot.
"""

import sys
from collections.abc import Callable
from pathlib import Path

from bot.errors import JournalError, JournalLocked, PolicyError, SettingsError
from bot.journal.opening import opened
from bot.logs import Redactor, configure
from bot.policyfile import read_policy
from bot.program.check._crosstrade import ask_crosstrade
from bot.program.check._discord import ask_discord
from bot.program.check._report import Part, Report, Verdict
from bot.settings import ENV_FILE, Settings, load_settings
from bot.timings import USUAL, JournalTimings, Timings
from bot.trading.policy import RESUME, Policy

__all__ = ["check"]

NOBODY_RESUMES = "; no grant names resume, so what somebody halts stays halted until one does"


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def check(env_file: Path | None = ENV_FILE, say: Callable[[str], None] = _print, timings: Timings = USUAL) -> int:
    """Check every part and say a line for each, with the bot's invite link at the end.

    Args:
        env_file: as for ``load_settings``.
        say: takes one line.
        timings: how long is waited for what.

    Returns:
        The exit code: 0 all is good, 1 something failed, 2 a setting, a token or the policy is wrong, 69 a service can't be
        reached. Of several the one comes back that must be mended first: 2, then 69, then 1.
    """
    report = Report(say)
    try:
        settings = load_settings(env_file)
    except SettingsError as error:
        report.add(Part.SETTINGS, Verdict.WRONG, str(error))
        report.skip_the_rest("the settings come first")
        return report.exit_code
    report.hide(Redactor(settings.secrets))
    # Warnings say in other words what a line of the report says anyway.
    configure("ERROR", settings.log_format.value, settings.secrets)
    report.add(Part.SETTINGS, Verdict.GOOD)
    policy = _policy(settings, report)
    await _journal(settings, report, timings.journal)
    invite = await ask_discord(settings, policy, report, timings.program.check_discord)
    await ask_crosstrade(settings, policy, report, timings.crosstrade)
    if invite is not None:
        report.tell(f"invite link: {invite}")
    return report.exit_code


def _policy(settings: Settings, report: Report) -> Policy | None:
    try:
        policy = read_policy(settings.policy_file)
    except PolicyError as error:
        report.add(Part.POLICY, Verdict.WRONG, str(error))
        return None
    stuck = "" if any(grant.has_command(RESUME) for grant in policy.grants) else NOBODY_RESUMES
    report.add(Part.POLICY, Verdict.GOOD, f"grants: {len(policy.grants)}, limits: {len(policy.limits)}{stuck}")
    return policy


async def _journal(settings: Settings, report: Report, timings: JournalTimings) -> None:
    try:
        async with opened(settings.database_url, timings=timings):
            report.add(Part.JOURNAL, Verdict.GOOD)
    except JournalLocked as error:
        in_use = "in use by a running bot"
        report.add(Part.JOURNAL, Verdict.GOOD, in_use if error.leader is None else f"{in_use}, which leads: {error.leader}")
    except SettingsError as error:
        report.add(Part.JOURNAL, Verdict.WRONG, str(error))
    except JournalError as error:
        report.add(Part.JOURNAL, Verdict.FAILED, str(error))
