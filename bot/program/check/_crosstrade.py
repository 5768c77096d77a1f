"""Check of CrossTrade: whether it takes the token, whether NinjaTrader is there, and which accounts the policy fits."""

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from http import HTTPStatus
from secrets import token_hex

from bot.clock import Clock
from bot.crosstrade import CrossTrade
from bot.crosstrade.endpoints import ENDPOINTS
from bot.crosstrade.requests import API
from bot.errors import BrokerError, BrokerRefused, BrokerUnreachable
from bot.program.check._report import CheckPart, Report, Verdict
from bot.program.proxies import proxy_for
from bot.settings import Settings
from bot.timings import CrossTradeTimings
from bot.trading.market.facts import Account
from bot.trading.orders.intents import TRADING_COMMANDS
from bot.trading.risk.policy import EVERYTHING, Policy, matches

_BAD_TOKEN = "CROSSTRADE_TOKEN: copy it again from My Account, and see that the plan has the API; CrossTrade says: {words}"  # noqa: S105
_ADD_ON = "Start NinjaTrader 8 and connect the CrossTrade add-on in it."
# How the client tells of an answer that only a missing add-on gets; a cloud that is down gives another status.
_NO_ADD_ON = f"HTTP {HTTPStatus.REQUEST_TIMEOUT}"


async def ask_crosstrade(
    settings: Settings, policy: Policy | None, report: Report, timings: CrossTradeTimings, clock: Clock
) -> timedelta | None:
    """Report token, add-on and accounts, by two reads over REST; gives how far the clock is ahead of CrossTrade's, if told."""
    client = CrossTrade(
        settings.crosstrade_url,
        settings.crosstrade_token.get_secret_value(),
        clock=clock,
        new_id=token_hex,
        timings=timings,
        # A running bot with this token would lose its stream to this one.
        streamed=False,
        proxy=proxy_for(settings.crosstrade_url),
    )
    try:
        async with client:
            accounts = await client.accounts()
            remark = await _not_listed(client)
    except BrokerError as error:
        _failed(error, report)
    else:
        report.add(CheckPart.CROSSTRADE_TOKEN, Verdict.GOOD)
        report.add(CheckPart.ADD_ON, Verdict.GOOD, remark)
        _accounts(accounts, policy, report)
    return client.vitals().clock_ahead


async def _not_listed(client: CrossTrade) -> str:
    """Endpoints that the bot calls and CrossTrade's own list lacks, if it has one that can be understood."""
    try:
        served = {_shape(line) for line in await client.endpoints()}
    except BrokerError:
        return ""
    ours = {_shape(line): line for line in (f"{one.method} {API}/{one.path}" for one in ENDPOINTS)}
    lacking = [line for shape, line in ours.items() if shape not in served]
    # One that lacks all of them speaks another language.
    return f"CrossTrade doesn't list {', '.join(lacking)}" if 0 < len(lacking) < len(ours) else ""


def _shape(line: str) -> str:
    """An endpoint without the names that stand in its path, which everybody writes as they like."""
    return re.sub(r"\{[^}]*\}|:\w+|<[^>]*>", "{}", line.partition("?")[0]).casefold()


def _failed(error: BrokerError, report: Report) -> None:
    if isinstance(error, BrokerUnreachable) and _NO_ADD_ON in str(error):
        report.add(CheckPart.CROSSTRADE_TOKEN, Verdict.GOOD)
        report.add(CheckPart.ADD_ON, Verdict.FAILED, _ADD_ON)
        report.skip(CheckPart.ACCOUNTS, "the add-on comes first")
        return
    if isinstance(error, BrokerRefused) and error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        report.add(CheckPart.CROSSTRADE_TOKEN, Verdict.WRONG, _BAD_TOKEN.format(words=error))
    elif isinstance(error, BrokerRefused):
        report.add(CheckPart.CROSSTRADE_TOKEN, Verdict.FAILED, f"See that CROSSTRADE_URL is right; CrossTrade says: {error}")
    else:
        text = f"CrossTrade can't be reached: {error} Check the network and CROSSTRADE_URL, or try again later."
        report.add(CheckPart.CROSSTRADE_TOKEN, Verdict.UNREACHABLE, text)
    report.skip(CheckPart.ADD_ON, "CrossTrade comes first")
    report.skip(CheckPart.ACCOUNTS, "CrossTrade comes first")


def _accounts(accounts: Sequence[Account], policy: Policy | None, report: Report) -> None:
    if policy is None:
        report.skip(CheckPart.ACCOUNTS, "the policy comes first")
        return
    names = [account.name for account in accounts]
    problems = [
        f"No account fits {', '.join(grant.accounts)} of grant[{number}]; NinjaTrader has {', '.join(names) or 'none'}."
        for number, grant in enumerate(policy.grants, start=1)
        if any(grant.has_command(command) for command in TRADING_COMMANDS) and not _fitting(names, grant.accounts)
    ]
    if problems:
        report.add(CheckPart.ACCOUNTS, Verdict.FAILED, " ".join(problems))
        return
    granted = _fitting(names, [pattern for grant in policy.grants for pattern in grant.accounts])
    remarks = [", ".join(granted), *_idle(names, policy), *_barred(accounts, granted, policy)]
    report.add(CheckPart.ACCOUNTS, Verdict.GOOD, "; ".join(remark for remark in remarks if remark))


def _fitting(names: Iterable[str], patterns: Sequence[str]) -> list[str]:
    return [name for name in names if matches(name, patterns)]


def _idle(names: Sequence[str], policy: Policy) -> list[str]:
    tables = [
        *((f"grant[{number}]", grant.accounts) for number, grant in enumerate(policy.grants, start=1)),
        *((f"limit[{number}]", limit.accounts) for number, limit in enumerate(policy.limits, start=1)),
        *((f"approval[{number}]", approval.accounts) for number, approval in enumerate(policy.approvals, start=1)),
        *((f"account[{number}]", (rule.name,)) for number, rule in enumerate(policy.accounts, start=1)),
        *((f"notify[{number}]", route.accounts) for number, route in enumerate(policy.routes, start=1)),
    ]
    return [
        f"nothing fits {pattern} of {where}"
        for where, patterns in tables
        for pattern in patterns
        if pattern != EVERYTHING and not _fitting(names, [pattern])
    ]


def _barred(accounts: Iterable[Account], granted: Sequence[str], policy: Policy) -> list[str]:
    return [
        f"{account.name} is no simulation: no entry goes there until an [[account]] with live = true names it"
        for account in accounts
        if account.name in granted and account.provider and not account.is_simulation and not policy.names_live(account.name)
    ]
