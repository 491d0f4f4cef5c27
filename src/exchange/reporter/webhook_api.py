"""REST of webhooks: a participant says where it wants to be told, sees how that goes, and sends again what failed."""

from __future__ import annotations

import msgspec

from exchange.domain.participant import Role
from exchange.domain.reasons import Reason
from exchange.infra.auth import Principal
from exchange.infra.http_routes import ApiError, Call, Route
from exchange.infra.webhook_signature import new_secret
from exchange.reporter.drop_copy_api import participant_number
from exchange.reporter.live_market import LiveMarket
from exchange.reporter.webhook_messages import DROP_COPY
from exchange.reporter.webhook_sender import REDELIVERED_AT_ONCE, WebhookSender, delivery_id, why_not_allowed
from exchange.reporter.webhook_store import Webhook
from exchange.reporter.webhooks import Webhooks
from exchange.wire.rest.errors import ErrorCode
from exchange.wire.rest.market import time_text
from exchange.wire.rest.webhooks import (
    SYMBOLS_MAX,
    URL_CHARACTERS_MAX,
    CreatedWebhook,
    DeadLetter,
    DeadLetterList,
    NewWebhook,
    Redelivered,
    WebhookList,
    WebhookQuery,
    WebhookView,
)

PATH = "/api/v1/webhooks"
READER = frozenset({Role.VIEWER})
OWNER = frozenset({Role.TRADER, Role.OPERATOR})
_ONE = {"webhook_id": "1"}


class WebhookApi:
    """The routes of webhooks."""

    def __init__(self, webhooks: Webhooks, market: LiveMarket) -> None:
        self._webhooks = webhooks
        self._market = market

    def routes(self) -> list[Route]:
        """List the routes."""
        return [
            Route(
                "GET", PATH, self.webhooks, "List webhooks, and how each goes", "webhooks", READER,
                query=WebhookQuery, returns=WebhookList, errors=(400,),
            ),
            Route(
                "POST", PATH, self.add_webhook, "Make a webhook; its secret is shown this once", "webhooks", OWNER,
                body=NewWebhook, returns=CreatedWebhook, status=201, errors=(404, 409, 422, 503),
                example={"url": "http://127.0.0.1:9000/hook", "channel": "drop_copy"},
                description="Deliveries are posted in order and at least once, signed as Standard Webhooks says; "
                "docs/webhooks.md has the rest.",
            ),
            Route(
                "GET", f"{PATH}/{{webhook_id}}", self.webhook, "Show a webhook", "webhooks", READER,
                returns=WebhookView, errors=(400, 404), path_examples=_ONE,
            ),
            Route(
                "DELETE", f"{PATH}/{{webhook_id}}", self.remove_webhook,
                "Remove a webhook and its dead letters", "webhooks", OWNER, returns=WebhookView,
                errors=(400, 404, 503), path_examples=_ONE,
            ),
            *self._state_routes(),
        ]  # fmt: skip

    def _state_routes(self) -> list[Route]:
        return [
            Route(
                "POST", f"{PATH}/{{webhook_id}}/start", self.start_webhook,
                "Go on with a webhook that was stopped, where it ended", "webhooks", OWNER, returns=WebhookView,
                errors=(400, 404, 503), path_examples=_ONE,
            ),
            Route(
                "POST", f"{PATH}/{{webhook_id}}/stop", self.stop_webhook, "Deliver nothing until it is started",
                "webhooks", OWNER, returns=WebhookView, errors=(400, 404, 503), path_examples=_ONE,
            ),
            Route(
                "GET", f"{PATH}/{{webhook_id}}/dead-letters", self.dead_letters,
                "List deliveries that nobody took, oldest first", "webhooks", READER, returns=DeadLetterList,
                errors=(400, 404, 503), path_examples=_ONE,
            ),
            Route(
                "POST", f"{PATH}/{{webhook_id}}/dead-letters/redeliver", self.redeliver,
                "Send dead letters again, oldest first, until one is not taken", "webhooks", OWNER,
                returns=Redelivered, errors=(400, 404, 503), path_examples=_ONE,
            ),
        ]  # fmt: skip

    async def webhooks(self, call: Call) -> WebhookList:
        """Answer GET /webhooks."""
        query: WebhookQuery = call.query
        wanted = participant_number(query.participant)
        seen = [each for each in self._webhooks.senders() if _may_see(call.who, each.webhook)]
        return WebhookList(
            [
                self._view(each)
                for each in seen
                if not query.participant or each.webhook.participant_id == wanted
            ]
        )

    async def webhook(self, call: Call) -> WebhookView:
        """Answer GET /webhooks/{webhook_id}."""
        return self._view(self._find(call))

    async def add_webhook(self, call: Call) -> CreatedWebhook:
        """Answer POST /webhooks."""
        body: NewWebhook = call.body
        webhook = self._new(body, call.who)
        sender = await self._webhooks.add(webhook)
        if sender is None:
            most = self._webhooks.config.per_participant_max
            text = f"a participant has at most {most} webhooks ([reporter.webhooks] per_participant_max); remove one"
            raise ApiError.of(ErrorCode.CONFLICT, text)
        return CreatedWebhook(**msgspec.structs.asdict(self._view(sender)), secret=webhook.secret)

    async def remove_webhook(self, call: Call) -> WebhookView:
        """Answer DELETE /webhooks/{webhook_id}."""
        sender = self._find(call, to_change=True)
        await self._webhooks.remove(sender.webhook.webhook_id)
        return self._view(sender)

    async def start_webhook(self, call: Call) -> WebhookView:
        """Answer POST /webhooks/{webhook_id}/start."""
        sender = self._find(call, to_change=True)
        await sender.set_active(True)
        return self._view(sender)

    async def stop_webhook(self, call: Call) -> WebhookView:
        """Answer POST /webhooks/{webhook_id}/stop."""
        sender = self._find(call, to_change=True)
        await sender.set_active(False)
        return self._view(sender)

    async def dead_letters(self, call: Call) -> DeadLetterList:
        """Answer GET /webhooks/{webhook_id}/dead-letters."""
        webhook = self._find(call).webhook
        return DeadLetterList(
            [
                DeadLetter(
                    id=delivery_id(webhook, dead.last_sequence),
                    first_seq=dead.first_sequence,
                    last_seq=dead.last_sequence,
                    tries=dead.tries,
                    problem=dead.problem,
                    at=time_text(dead.died_ns),
                    body=msgspec.Raw(dead.body),
                )
                for dead in await self._webhooks.dead(webhook.webhook_id, REDELIVERED_AT_ONCE)
            ]
        )

    async def redeliver(self, call: Call) -> Redelivered:
        """Answer POST /webhooks/{webhook_id}/dead-letters/redeliver."""
        sender = self._find(call, to_change=True)
        delivered, problem = await sender.redeliver()
        return Redelivered(delivered=delivered, left=sender.dead, problem=problem)

    # --- what was asked for -----------------------------------------------------------------------

    def _new(self, body: NewWebhook, who: Principal) -> Webhook:
        if problem := why_not_allowed(body.url, self._webhooks.config.hosts):
            raise ApiError(422, ErrorCode.INVALID_FIELD, problem, "url")
        if len(body.url) > URL_CHARACTERS_MAX:
            text = f"url has {len(body.url)} characters; at most {URL_CHARACTERS_MAX}"
            raise ApiError(422, ErrorCode.INVALID_FIELD, text, "url")
        if body.channel == DROP_COPY and not who.participant_id:
            text = "drop copies are a participant's; a key of the exchange takes trades or status"
            raise ApiError(422, ErrorCode.INVALID_FIELD, text, "channel")
        now = self._market.sequence
        return Webhook(
            webhook_id=0,
            participant_id=who.participant_id,
            url=body.url,
            channel=body.channel,
            symbol_ids=self._symbol_ids(body),
            secret=new_secret(),
            is_active=True,
            sent_sequence=now if body.from_seq is None else max(0, body.from_seq - 1),
            delivered=0,
            problem="",
            created_ns=self._webhooks.clock.now_ns(),
        )

    def _symbol_ids(self, body: NewWebhook) -> tuple[int, ...]:
        if len(body.symbols) > SYMBOLS_MAX:
            text = f"{len(body.symbols)} symbols; at most {SYMBOLS_MAX}, or none for all"
            raise ApiError(422, ErrorCode.INVALID_FIELD, text, "symbols")
        if body.symbols and body.channel == DROP_COPY:
            text = "drop copies come for all symbols; leave symbols out"
            raise ApiError(422, ErrorCode.INVALID_FIELD, text, "symbols")
        listed = {each.symbol: symbol_id for symbol_id, each in self._market.directory.symbols.items()}
        for name in body.symbols:
            if name not in listed:
                raise ApiError(404, Reason.UNKNOWN_SYMBOL, f"there is no symbol {name[:40]!r}", "symbols")
        return tuple(sorted({int(listed[name]) for name in body.symbols}))

    def _find(self, call: Call, to_change: bool = False) -> WebhookSender:
        webhook_id = call.path_id("webhook_id")
        sender = self._webhooks.find(webhook_id)
        if sender is None or not _may_see(call.who, sender.webhook):
            raise ApiError.of(ErrorCode.NOT_FOUND, f"there is no webhook {webhook_id} of yours", "webhook_id")
        if to_change and not _may_change(call.who, sender.webhook):
            text = "a webhook is changed by its owner or an operator"
            raise ApiError.of(ErrorCode.ROLE_NOT_ALLOWED, text)
        return sender

    def _view(self, sender: WebhookSender) -> WebhookView:
        webhook, symbols = sender.webhook, self._market.directory.symbols
        return WebhookView(
            id=str(webhook.webhook_id),
            participant=str(webhook.participant_id),
            url=webhook.url,
            channel=webhook.channel,  # type: ignore[arg-type]
            symbols=[symbols[each].symbol for each in webhook.symbol_ids if each in symbols],
            state="active" if webhook.is_active else "stopped",
            sent_seq=webhook.sent_sequence,
            delivered=webhook.delivered,
            dead_letters=sender.dead,
            failures=sender.failures,
            problem=webhook.problem,
            created_at=time_text(webhook.created_ns),
        )


def _may_see(who: Principal, webhook: Webhook) -> bool:
    return who.participant_id == webhook.participant_id or who.is_any(Role.OPERATOR, Role.AUDITOR)


def _may_change(who: Principal, webhook: Webhook) -> bool:
    return who.participant_id == webhook.participant_id or who.is_any(Role.OPERATOR)
