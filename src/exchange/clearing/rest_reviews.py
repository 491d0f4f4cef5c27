"""REST of reviews: sides ask and answer, officers rule, and everybody's deeds stand in the audit trail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from exchange.clearing import queries, review_store
from exchange.clearing.book_keeper import UnknownTrade
from exchange.clearing.office import Office
from exchange.clearing.rest_api import (
    EVERYBODY,
    OFFICE,
    RULES,
    SEES_ALL,
    number_of_cursor,
    price_and_quantity,
    unknown_trade,
    who_rules,
)
from exchange.clearing.review_desk import UnknownReview, may_see
from exchange.clearing.store import read_trade
from exchange.clearing.views import asset_text
from exchange.domain.participant import Role
from exchange.domain.reasons import Reason
from exchange.domain.trade import BustReason
from exchange.domain.units import format_money, format_price, format_time
from exchange.infra.http import ApiError, Call, Route
from exchange.post_trade.audit import AuditEntry
from exchange.post_trade.invariants import BooksBroken
from exchange.post_trade.review import Actor, Remedy, Review, is_overdue
from exchange.post_trade.trade import Trade
from exchange.post_trade.trade_life import TransitionRefused
from exchange.wire.rest import clearing as c
from exchange.wire.rest import reviews as j
from exchange.wire.rest.errors import ErrorCode

SIDES = frozenset({Role.TRADER})
"""Who asks for reviews, answers and appeals: traders, for their participant."""
_TRADE, _REVIEW = {"match_id": "2041"}, {"review_id": "3"}
T = TypeVar("T")


class ReviewsApi:
    """The routes of reviews and of the audit trail."""

    def __init__(self, office: Office) -> None:
        self._office = office

    def routes(self) -> list[Route]:
        """List the routes."""
        return [*self._reading_routes(), *self._acting_routes()]

    def _reading_routes(self) -> list[Route]:
        return [
            Route(
                "GET", "/api/v1/reviews", self.reviews, "List reviews, newest first", "reviews", EVERYBODY,
                query=j.ReviewsQuery, returns=j.ReviewList, errors=(400,),
                description="Participants see those of their own trades: what they asked for, and what the other side "
                "asks for, which is how they are notified.",
            ),
            Route(
                "GET", "/api/v1/reviews/{review_id}", self.review, "Show a review with all its steps", "reviews",
                EVERYBODY, returns=j.ReviewView, errors=(404,), path_examples=_REVIEW,
            ),
            Route(
                "GET", "/api/v1/audit", self.audit, "List what people did, newest first", "reviews", OFFICE,
                query=j.AuditQuery, returns=j.AuditList, errors=(400,),
            ),
        ]  # fmt: skip

    def _acting_routes(self) -> list[Route]:
        path = "/api/v1/reviews/{review_id}"
        word = {"reason": "both traders confirm the typing error"}
        return [
            Route(
                "POST", "/api/v1/trades/{match_id}/review", self.file, "Ask for the review of a trade", "reviews",
                SIDES, body=j.ReviewOrder, returns=j.ReviewView, status=201, errors=(404, 409, 422, 503),
                path_examples=_TRADE, example={"basis": "typed 195 for 189, the market stood at 189.20"},
                description="Within 30 minutes of the execution, 60 for an outlier, where nothing else is configured.",
            ),
            *(
                Route(
                    "POST", f"{path}/{verb}", handler, summary, "reviews", SIDES, body=j.ReviewWord,
                    returns=j.ReviewView, errors=(404, 409, 503), path_examples=_REVIEW, example=word,
                    operation=f"{verb}_review",
                )
                for verb, handler, summary in (
                    ("agree", self.agree, "Agree to what the other side asks for"),
                    ("withdraw", self.withdraw, "Take a request for review back"),
                    ("appeal", self.appeal, "Appeal against a ruling"),
                )
            ),
            Route(
                "POST", f"{path}/rule", self.rule, "Rule on a review, or decide its appeal", "reviews", RULES,
                body=j.ReviewRuling, returns=j.ReviewView, errors=(404, 409, 422, 503), path_examples=_REVIEW,
                example={"reason": "3 % off, no news", "remedy": "bust"},
                description="A granted remedy is carried out when the time to appeal is over, or at once where both "
                "sides agreed to it, or on appeal. Above a notional two officers must say the same.",
            ),
        ]  # fmt: skip

    # --- reading --------------------------------------------------------------------------------------

    async def reviews(self, call: Call) -> j.ReviewList:
        """Answer GET /reviews."""
        query: j.ReviewsQuery = call.query
        office, actor = self._office, actor_of(call)
        if not actor.participant_id and not call.who.is_any(*SEES_ALL):
            return j.ReviewList([])
        limit = min(query.limit, office.config.clearing.page_items_max)
        before = number_of_cursor(query.cursor)

        def read(connection: Connection) -> list[j.ReviewView]:
            found = review_store.list_reviews(
                connection, office.partition, query.state, actor.participant_id, before, limit + 1
            )
            return [self._view(connection, review, actor) for review in found]

        items = await self._office.read(read)
        return j.ReviewList(items[:limit], items[limit - 1].review_id if len(items) > limit else None)

    async def review(self, call: Call) -> j.ReviewView:
        """Answer GET /reviews/{review_id}."""
        review_id, actor = call.path_id("review_id"), actor_of(call)

        def read(connection: Connection) -> j.ReviewView:
            review = review_store.read_review(connection, self._office.partition, review_id)
            sees = actor.participant_id or call.who.is_any(*SEES_ALL)
            if review is None or not sees or not may_see(review, actor):
                raise unknown_review(review_id)
            return self._view(connection, review, actor)

        return await self._office.read(read)

    async def audit(self, call: Call) -> j.AuditList:
        """Answer GET /audit."""
        query: j.AuditQuery = call.query
        limit = min(query.limit, self._office.config.clearing.page_items_max)
        before = number_of_cursor(query.cursor)
        rows = await self._office.read(
            lambda connection: review_store.list_audit(connection, self._office.partition, before, limit + 1)
        )
        items = []
        for row in rows[:limit]:
            entry = AuditEntry(**{name: getattr(row, name) for name in AuditEntry.__struct_fields__})
            items.append(
                j.AuditEntryView(
                    number=str(entry.number), at=format_time(entry.time_ns), key_id=str(entry.key_id),
                    who=entry.who, what=entry.what, subject=entry.subject, why=entry.why, detail=entry.detail,
                    hash=row.hash.hex(),
                )
            )  # fmt: skip
        return j.AuditList(items, items[-1].number if len(rows) > limit else None)

    # --- acting ---------------------------------------------------------------------------------------

    async def file(self, call: Call) -> j.ReviewView:
        """Answer POST /trades/{match_id}/review."""
        body: j.ReviewOrder = call.body
        match_id, actor = call.path_id("match_id"), actor_of(call)
        wanted = remedy_of(body.remedy, body.price, body.qty)
        trade = await self._office.read(lambda connection: read_trade(connection, match_id))
        desk = self._office.reviews
        if trade is None or actor.participant_id not in desk.parties_of(trade):
            raise unknown_trade(match_id)
        return await self._act(actor, lambda: desk.file(match_id, wanted, body.basis, actor))

    async def agree(self, call: Call) -> j.ReviewView:
        """Answer POST /reviews/{review_id}/agree."""
        review_id, actor, why = self._said(call)
        return await self._act(actor, lambda: self._office.reviews.agree(review_id, actor, why))

    async def withdraw(self, call: Call) -> j.ReviewView:
        """Answer POST /reviews/{review_id}/withdraw."""
        review_id, actor, why = self._said(call)
        return await self._act(actor, lambda: self._office.reviews.withdraw(review_id, actor, why))

    async def appeal(self, call: Call) -> j.ReviewView:
        """Answer POST /reviews/{review_id}/appeal."""
        review_id, actor, why = self._said(call)
        return await self._act(actor, lambda: self._office.reviews.appeal(review_id, actor, why))

    async def rule(self, call: Call) -> j.ReviewView:
        """Answer POST /reviews/{review_id}/rule."""
        body: j.ReviewRuling = call.body
        review_id, actor, code = call.path_id("review_id"), actor_of(call), BustReason(ord(body.code))
        remedy = remedy_of(body.remedy, body.price, body.qty)
        return await self._act(
            actor, lambda: self._office.reviews.rule(review_id, remedy, code, actor, body.reason)
        )

    @staticmethod
    def _said(call: Call) -> tuple[int, Actor, str]:
        body: j.ReviewWord = call.body
        return call.path_id("review_id"), actor_of(call), body.reason

    async def _act(self, actor: Actor, act: Callable[[], Review]) -> j.ReviewView:
        if self._office.halted:
            raise ApiError.of(ErrorCode.NOT_READY)
        try:
            review = await asyncio.to_thread(act)
        except UnknownReview as error:
            raise ApiError.of(ErrorCode.NOT_FOUND, str(error)) from error
        except UnknownTrade as error:
            raise ApiError(404, Reason.UNKNOWN_TRADE, str(error), "match_id") from error
        except TransitionRefused as error:
            raise ApiError.of(ErrorCode.CONFLICT, str(error)) from error
        except BooksBroken as error:
            self._office.halt(f"a review: {error}")
            raise ApiError.of(ErrorCode.NOT_READY) from error
        self._office.relay.wake()
        return await self._office.read(lambda connection: self._view(connection, review, actor))

    def _view(self, connection: Connection, review: Review, actor: Actor) -> j.ReviewView:
        trade = read_trade(connection, review.match_id)
        assert trade is not None, (
            f"review {review.review_id} is of trade {review.match_id}, which is not there"
        )
        related = queries.matches_of_order(connection, trade) if not actor.participant_id else []
        symbol = asset_text(self._office.directory.symbols, trade.symbol_id)
        return review_view(review, trade, symbol, actor, self._office.clock.now_ns(), related)


def actor_of(call: Call) -> Actor:
    """Return who acts; a participant's key acts for the participant."""
    return Actor(call.who.key_id, who_rules(call), call.who.participant_id)


def unknown_review(review_id: int) -> ApiError:
    """Make the error of a review that is not there, or not the caller's."""
    return ApiError.of(ErrorCode.NOT_FOUND, f"there is no review {review_id}")


def remedy_of(kind: str, price: str | None, qty: str | int | None) -> Remedy:
    """Read what is asked for. Raise `ApiError`."""
    if kind != "correct":
        if price is not None or qty is not None:
            message = f"price and qty belong to a correction, and this is {kind!r}"
            raise ApiError(422, Reason.CORRECTION_INVALID, message, "price" if price is not None else "qty")
        return Remedy(kind)
    new_price, new_quantity = price_and_quantity(c.CorrectionOrder(reason="-", price=price, qty=qty))
    return Remedy(kind, new_price, new_quantity)


def review_view(
    review: Review, trade: Trade, symbol: str, actor: Actor, now_ns: int, related: list[int]
) -> j.ReviewView:
    """Write a review as somebody may see it: sides see neither who the other is nor which officer ruled."""
    sees_all = not actor.participant_id
    is_applicant = actor.participant_id == review.applicant
    return j.ReviewView(
        review_id=str(review.review_id),
        match_id=str(review.match_id),
        symbol=symbol,
        state=review.state.value,
        you="" if sees_all else "applicant" if is_applicant else "counterparty",
        applicant=str(review.applicant) if sees_all or is_applicant else None,
        counterparty=str(review.counterparty) if sees_all or not is_applicant else None,
        basis=review.basis,
        wanted=_remedy_view(review.wanted),
        agreed=review.agreed,
        measured=format_money(review.finding.measured),
        guideline=format_money(review.finding.guideline),
        eligible=review.finding.is_eligible,
        outlier=review.finding.is_outlier,
        securities=review.finding.securities,
        finding=review.finding.sentence,
        remedy=_remedy_view(review.remedy),
        code=chr(review.code) if review.code else None,
        waits_for_second=_remedy_view(review.proposed) if review.proposed_by and sees_all else None,
        filed_at=format_time(review.filed_ns),
        due_at=format_time(review.due_ns) if review.due_ns else None,
        overdue=is_overdue(review, now_ns),
        related=[str(match_id) for match_id in related],
        steps=[
            j.ReviewStepView(
                at=format_time(step.time_ns),
                what=step.what,
                state=step.state.value,
                who=step.who if sees_all or step.key_id == actor.key_id else "",
                why=step.why,
            )
            for step in review.steps
            if sees_all or not step.what.endswith(" proposed")
        ],
    )


def _remedy_view(remedy: Remedy) -> j.RemedyView:
    return j.RemedyView(
        kind=remedy.kind,  # type: ignore[arg-type]
        price=format_price(remedy.price) if remedy.price else None,
        qty=str(remedy.quantity) if remedy.quantity else None,
    )
