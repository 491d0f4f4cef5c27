"""The webhooks' figures for Prometheus."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client.metrics_core import Metric

from exchange.infra.metrics import Family, gauge, read_all
from exchange.reporter.webhooks import Webhooks


def _by_state(webhooks: Webhooks) -> dict[str, float]:
    """Count webhooks by their state; both states always."""
    found = Counter("active" if each.webhook.is_active else "stopped" for each in webhooks.senders())
    return {state: float(found[state]) for state in ("active", "stopped")}


WEBHOOK_FAMILIES: tuple[Family[Webhooks], ...] = (
    gauge("exchange_webhooks", "Webhooks by their state.", _by_state, "state"),
    gauge(
        "exchange_webhook_delivered",
        "Deliveries taken by the webhooks that there are, since each was made.",
        lambda webhooks: sum(each.webhook.delivered for each in webhooks.senders()),
    ),
    gauge(
        "exchange_webhook_failing",
        "Webhooks whose delivery in hand has failed.",
        lambda webhooks: sum(each.failures > 0 for each in webhooks.senders()),
    ),
    gauge(
        "exchange_webhook_dead_letters",
        "Deliveries that nobody took and that are kept.",
        lambda webhooks: sum(each.dead for each in webhooks.senders()),
    ),
)


def webhook_metrics(webhooks: Webhooks) -> Iterator[Metric]:
    """Yield the families."""
    yield from read_all(WEBHOOK_FAMILIES, webhooks)
