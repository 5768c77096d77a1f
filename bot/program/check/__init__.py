"""``python -m bot check``: tells for each part of the desk whether it is good, or what to do.

Nothing is changed anywhere but that the journal is made or brought up to date, as ``run`` would do. Discord is asked by plain
HTTP and CrossTrade by REST, never by its WebSocket: a second one would cut that of a running bot.
"""

import json
import sys
from collections.abc import Callable, Collection, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from bot.clock import system_clock
from bot.dates import Dates
from bot.errors import JournalError, JournalLocked, PolicyError, SettingsError
from bot.journal.opening import opened
from bot.logs import configure
from bot.policyfile import read_policy
from bot.program import proxies
from bot.program.check._crosstrade import ask_crosstrade
from bot.program.check._discord import ask_discord
from bot.program.check._report import CheckPart, Report, Verdict
from bot.redaction import Redactor
from bot.settings import ENV_FILE, Settings, is_in_clear, load_what_can_be
from bot.timings import USUAL, JournalTimings, Timings
from bot.trading.health.chain import Grade, clock_line
from bot.trading.risk.policy import RESUME, Policy
from bot.trading.risk.ways_out import without_way_out

__all__ = ["check", "check_in_json"]

_OF_DISCORD = frozenset({"DISCORD_TOKEN", "DISCORD_API_URL"})
_OF_CROSSTRADE = frozenset({"CROSSTRADE_TOKEN", "CROSSTRADE_URL", "CROSSTRADE_RATE", "CROSSTRADE_BURST"})
NOBODY_CLOSES = "; nobody may get out of {where} of grant[{number}], as no grant names close or flatten there"
NOBODY_RESUMES = "; no grant names resume, so what somebody halts stays halted until one does"


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


async def check_in_json(env_file: Path | None = ENV_FILE, timings: Timings = USUAL) -> int:
    """Check every part and print one JSON object when all is known; the exit code is that of ``check``."""
    report = Report(lambda _line: None)
    code = await _checked(report, env_file, timings)
    _print(json.dumps({"exit_code": code, **report.plain}, indent=2))
    return code


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
    return await _checked(Report(say), env_file, timings)


async def _checked(report: Report, env_file: Path | None, timings: Timings) -> int:
    try:
        loaded = load_what_can_be(env_file)
    except SettingsError as error:
        report.add(CheckPart.SETTINGS, Verdict.WRONG, str(error))
        report.skip_the_rest("the settings come first")
        return report.exit_code
    settings, wrong = loaded.settings, frozenset(loaded.wrong)
    secrets = (*settings.secrets, *proxies.secrets())
    report.hide(Redactor(secrets))
    # Warnings say in other words what a line of the report says anyway.
    configure("ERROR", settings.log_format.value, secrets)
    problems = [*map(str, loaded.wrong.values()), *_wrong_proxies(settings)]
    if problems:
        report.add(CheckPart.SETTINGS, Verdict.WRONG, " ".join(problems))
    else:
        report.add(CheckPart.SETTINGS, Verdict.GOOD, "; ".join(_remarks(settings, env_file)))
    policy = None if _lacks(report, wrong & {"POLICY_FILE"}, CheckPart.POLICY) else _policy(settings, report)
    if not _lacks(report, wrong & {"DATABASE_URL"}, CheckPart.JOURNAL):
        await _journal(settings, report, timings.journal)
    invite, crosstrade, clock = None, None, system_clock()
    dates = Dates(clock)
    if len(problems) > len(loaded.wrong):
        wrong |= {"DISCORD_API_URL", "CROSSTRADE_URL"}
    if not _lacks(report, wrong & _OF_DISCORD, CheckPart.DISCORD_TOKEN, CheckPart.GUILD, CheckPart.CHANNELS, CheckPart.ROLES):
        known = settings.model_copy(update={"discord_guild_id": ()}) if "DISCORD_GUILD_ID" in wrong else settings
        invite = await ask_discord(known, policy, report, timings.program.check_discord, clock, dates)
    if not _lacks(report, wrong & _OF_CROSSTRADE, CheckPart.CROSSTRADE_TOKEN, CheckPart.ADD_ON, CheckPart.ACCOUNTS):
        crosstrade = await ask_crosstrade(settings, policy, report, timings.crosstrade, clock)
    _clock(dates.ahead, crosstrade, report)
    if invite is not None:
        report.invite(invite)
    return report.exit_code


def _lacks(report: Report, missing: Collection[str], *parts: CheckPart) -> bool:
    """Tell whether these parts can't be looked at for want of a setting; then that is said of each."""
    for part in parts if missing else ():
        report.skip(part, f"{', '.join(sorted(missing))} comes first")
    return bool(missing)


def _wrong_proxies(settings: Settings) -> Iterator[str]:
    for url in (settings.discord_api_url, settings.crosstrade_url):
        try:
            proxies.proxy_for(url)
        except SettingsError as error:
            yield str(error)
            return


def _remarks(settings: Settings, env_file: Path | None) -> Iterator[str]:
    """Things that work, and are worth a look."""
    if env_file is not None and sys.platform != "win32" and env_file.exists() and env_file.stat().st_mode & 0o007:
        yield f"others on this machine can read {env_file}, tokens and all: chmod 600 {env_file}"
    ways = dict.fromkeys(proxies.proxy_for(url) for url in (settings.discord_api_url, settings.crosstrade_url))
    yield from (f"through the proxy {proxies.shown(proxy)}" for proxy in ways if proxy is not None)
    clear = (settings.discord_api_url, settings.discord_gateway_url or "")
    yield from (f"the Discord token goes to {urlsplit(url).hostname} in clear, without TLS" for url in clear if is_in_clear(url))


def _policy(settings: Settings, report: Report) -> Policy | None:
    try:
        policy = read_policy(settings.policy_file)
    except PolicyError as error:
        report.add(CheckPart.POLICY, Verdict.WRONG, str(error))
        return None
    stuck = "" if any(grant.has_command(RESUME) for grant in policy.grants) else NOBODY_RESUMES
    stuck += "".join(NOBODY_CLOSES.format(where=where, number=number) for number, where in without_way_out(policy))
    report.add(CheckPart.POLICY, Verdict.GOOD, f"grants: {len(policy.grants)}, limits: {len(policy.limits)}{stuck}")
    return policy


def _clock(discord: timedelta | None, crosstrade: timedelta | None, report: Report) -> None:
    """Compare this machine's clock with those that stamp prices and what is asked."""
    line = clock_line(discord, crosstrade)
    if line.grade is Grade.GOOD and discord is None and crosstrade is None:
        report.skip(CheckPart.CLOCK, "nobody's answer had a date")
    else:
        report.add(CheckPart.CLOCK, Verdict.FAILED if line.mend else Verdict.GOOD, line.mend)


async def _journal(settings: Settings, report: Report, timings: JournalTimings) -> None:
    try:
        async with opened(settings.database_url, timings=timings):
            report.add(CheckPart.JOURNAL, Verdict.GOOD)
    except JournalLocked as error:
        in_use = "in use by a running bot"
        report.add(CheckPart.JOURNAL, Verdict.GOOD, in_use if error.leader is None else f"{in_use}, which leads: {error.leader}")
    except SettingsError as error:
        report.add(CheckPart.JOURNAL, Verdict.WRONG, str(error))
    except JournalError as error:
        report.add(CheckPart.JOURNAL, Verdict.FAILED, str(error))
