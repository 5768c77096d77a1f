"""The safeguards: where each stands in the code, what takes it away, and what happens to people without it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Without:
    """One change that takes a safeguard away.

    Attributes:
        file: where.
        old: what stands there, once.
        new: what is put in its place.
    """

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Safeguard:
    """One safeguard.

    Attributes:
        name: in a few words.
        consequence: what happens without it.
        changes: take it away; several where another part would stand in for it.
    """

    name: str
    consequence: str
    changes: tuple[Without, ...]


def _one(name: str, consequence: str, file: str, old: str, new: str) -> Safeguard:
    return Safeguard(name, consequence, (Without(file, old, new),))


SAFEGUARDS = (
    Safeguard(
        "one claim for two presses",
        "two presses at once send two orders",
        (
            Without(
                "bot/journal/store.py",
                '_CLAIM = update(tickets).where(_row.id == bindparam("key"), _row.version == bindparam("seen"))',
                '_CLAIM = update(tickets).where(_row.id == bindparam("key"), bindparam("seen") > 0)',
            ),
            Without("bot/desk/locks.py", "        if self.holds(ticket):\n", "        if ticket in self._ended:\n"),
        ),
    ),
    _one(
        "the requester only",
        "somebody else's Confirm sends",
        "bot/desk/tickets/confirm.py",
        "        if press.member.id != ticket.requester.id:\n            return NOT_YOURS",
        "        if not press.member.id:\n            return NOT_YOURS",
    ),
    _one(
        "the approver is somebody else",
        "who asked approves, too",
        "bot/desk/tickets/confirm.py",
        "        if not counted or press.member.id == ticket.requester.id:\n",
        "        if not counted:\n",
    ),
    _one(
        "Approve is needed beside Confirm",
        "an order leaves that nobody has approved",
        "bot/desk/tickets/confirm.py",
        "        if signed.confirmed_at is None or signed.missing_roles:\n",
        "        if signed.confirmed_at is None:\n",
    ),
    Safeguard(
        "the end of a card's life",
        "a card that was left open sends minutes later",
        (
            Without(
                "bot/desk/tickets/confirm.py",
                "        if ticket.is_over(pressed_at):\n",
                "        if ticket.is_over(pressed_at) and not ticket.id:\n",
            ),
            Without(
                "bot/desk/tracking/recovery.py",
                "            elif self.locks.holds(ticket.id):\n",
                "            elif ticket.id:\n",
            ),
        ),
    ),
    _one(
        "decided again at the press",
        "what is sent isn't what the position asks for by then",
        "bot/desk/tickets/confirm.py",
        "        why = _what_changed(ticket, decision)\n",
        "        why = None\n",
    ),
    _one(
        "a restart voids open cards",
        "a card of before a restart sends after it",
        "bot/desk/tracking/recovery.py",
        "            elif ticket.state is TicketState.OFFERED:\n                await self._expire(ticket, RESTARTED)\n"
        "                found.expired_in[ticket.origin.channel] += 1\n",
        "",
    ),
    _one(
        "on its way at a crash is unknown",
        "an order of before a crash is never spoken of again",
        "bot/desk/tracking/recovery.py",
        "            elif ticket.state is TicketState.SENDING:\n                await self.lost(ticket)\n",
        "",
    ),
    _one(
        "the claim is on disk before the first byte",
        "after a crash nobody knows of an order in the market",
        "bot/desk/tickets/confirm.py",
        "            stored = await self.recorder.move(ticket, sending, EventName.SENDING, actor=press.member.id)\n",
        "            stored = await self.recorder.move(\n"
        "                ticket, replace(ticket, version=sending.version), EventName.SENDING, actor=press.member.id\n"
        "            )\n",
    ),
    _one(
        "a lost answer is unknown, not rejected",
        "an order in the market is told as rejected",
        "bot/desk/execution/apply_outcome.py",
        "            return EventName.UNKNOWN, move(ticket, TicketState.UNKNOWN, ended_at=now, outcome=quoted(unknown.why))\n",
        "            return EventName.REJECTED, move(ticket, TicketState.REJECTED, ended_at=now, outcome=quoted(unknown.why))\n",
    ),
    _one(
        "nothing is sent again",
        "an order whose answer is lost is sent twice",
        "bot/desk/execution/send.py",
        "            outcome = await self.broker.send(intent, deadline=deadline)\n",
        "            outcome = await self.broker.send(intent, deadline=deadline)\n"
        "            if isinstance(outcome, Unknown):\n"
        "                outcome = await self.broker.send(intent, deadline=deadline)\n",
    ),
    Safeguard(
        "thirty seconds before an order is called absent",
        "an order that CrossTrade does late is told as never arrived",
        (
            Without(
                "bot/desk/tracking/reconcile.py",
                "        if not self._is_late(ticket):\n            return\n",
                "",
            ),
            Without(
                "bot/desk/tracking/reconcile.py",
                "        if ticket.absent_since is None or ticket.id not in self._absent:\n",
                "        if ticket.absent_since is None and not ticket.id:\n",
            ),
            Without(
                "bot/desk/tracking/reconcile.py",
                "        elif now - ticket.absent_since >= ",
                "        elif True or now - ticket.absent_since >= ",
            ),
        ),
    ),
    _one(
        "news are stored with what they tell",
        "an end that came before a crash is never told",
        "bot/journal/store.py",
        "            if show:\n                outbox.show(connection, new.id, at, tone)\n            return True\n",
        "            return True\n",
    ),
    _one(
        "news stay due until Discord has taken them",
        "what Discord refuses for a moment is lost",
        "bot/desk/outbox/delivery.py",
        "            await self.recorder.journal.postpone(row, now + pause)\n",
        "            await self.recorder.journal.delivered(row, self.clock())\n",
    ),
    Safeguard(
        "a card has one message",
        "two cards of one ticket, one of them with live buttons for ever",
        (
            Without(
                "bot/chat/messenger.py",
                "        if (lost := await self._find(ticket)) is not None:\n",
                "        if (lost := None) is not None:\n",
            ),
            Without(
                "bot/chat/messenger.py",
                '            nonce = _nonce("card", ticket.id, instead_of)\n',
                "            nonce = None\n",
            ),
        ),
    ),
    _one(
        "flat is only what was read as flat",
        "a flatten is told as done with a position open",
        "bot/trading/orders/progress.py",
        "        return self.now == 0 and self.orders_now == 0\n",
        "        return not self.now and not self.orders_now\n",
    ),
    _one(
        "the new order of a verified reversal waits for flat",
        "the position is doubled where the close is slow",
        "bot/desk/execution/verified_reversal.py",
        "            if passed >= patience or _is_turned(runner.ticket, intent, facts):\n",
        "            if passed >= patience or passed >= timedelta(0):\n                return None\n"
        "            if _is_turned(runner.ticket, intent, facts):\n",
    ),
    _one(
        "an order without an answer isn't looked for among everything",
        "somebody else's order is told as ours",
        "bot/trading/reconciliation/evidence.py",
        "    if len(likely) == 1:\n        return Found(likely[0])\n    if likely:\n",
        "    if likely:\n        return Found(likely[0])\n    if likely:\n",
    ),
    _one(
        "408 proves nothing",
        "an order that went through is told as rejected",
        "bot/crosstrade/errors.py",
        "    return 400 <= status < 500 and status != HTTPStatus.REQUEST_TIMEOUT\n",
        "    return 400 <= status < 500\n",
    ),
    _one(
        "a clock that nobody sets",
        "a card lives on, and news are held back, when the host's clock is set back",
        "bot/clock.py",
        "        return self._began + timedelta(seconds=self.seconds() - self._zero)\n",
        "        return self.host()\n",
    ),
    _one(
        "what a run leaves is put into the next one's time",
        "after a restart with another clock an unknown order is judged by a wrong moment",
        "bot/desk/health/clockwatch.py",
        "        await journal.rebase(in_all, self.clock())\n",
        "",
    ),
    _one(
        "secrets are taken out of CrossTrade's words",
        "the token stands in the channel",
        "bot/crosstrade/redaction.py",
        "        text = self._redacted(self._known(text)[:_LONGEST_SEARCHED])\n",
        "        text = text[:_LONGEST_SEARCHED]\n",
    ),
    _one(
        "a halt is asked in the claim",
        "an order leaves that was pressed while the desk was being halted",
        "bot/journal/store.py",
        "            if asked is not None and (barred := switching.barring(connection, asked, new.shown.position)):\n",
        "            barred = False\n            if barred:\n",
    ),
    _one(
        "facts grow old",
        "a press is decided on what was read minutes ago",
        "bot/crosstrade/snapshot.py",
        "within > timedelta(0) and now - asked.at <= within and not",
        "within > timedelta(0) and not",
    ),
    _one(
        "what may have changed is void",
        "a press is decided on what was so before an order of ours",
        "bot/crosstrade/snapshot.py",
        "now - asked.at <= within and not self.is_void(key, asked)",
        "now - asked.at <= within",
    ),
)
