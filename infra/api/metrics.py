"""What Prometheus may ask: how far log and agents are, what is open, what came through the door.

Labels have few values by construction: routes are templates, methods and statuses are those of
HTTP, agents are those of the house. What the house knows is read when somebody asks.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from starlette.responses import Response

from infra.house import House
from infra.rejected import Rejected

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Counts:
    """The registry of one door, and what it counts itself."""

    def __init__(self, house: House, rejected: Rejected) -> None:
        self._house, self._rejected = house, rejected
        self._head = self._open = 0
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "ratchet_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "ratchet_http_request_seconds",
            "Seconds until an answer began.",
            ("method", "route"),
            registry=self._registry,
            buckets=BUCKETS,
        )
        ProcessCollector(registry=self._registry)
        self._registry.register(self)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request has been answered."""
        known = method if method in METHODS else "other"
        self._requests.labels(known, route, str(status)).inc()
        self._seconds.labels(known, route).observe(seconds)

    async def page(self) -> Response:
        """All of it, as text."""
        store = self._house.store
        self._head = (await store.head()).position
        self._open = sum(1 for lease in await store.leases() if lease.kind)
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    def collect(self) -> Iterator[Metric]:
        """What the house says of itself; the registry calls this."""
        yield _gauge("ratchet_log_position", "Where the log ends.", self._head)
        yield _gauge("ratchet_requests_open", "Requests that no worker has answered.", self._open)
        yield CounterMetricFamily(
            "ratchet_rejected", "Messages that were refused.", value=self._rejected.count
        )
        troubles = self._house.troubles()
        yield _gauge("ratchet_troubles", "Parts that do not work just now.", len(troubles))
        position = GaugeMetricFamily(
            "ratchet_agent_position", "Up to here an agent has answered.", labels=["agent"]
        )
        lag = GaugeMetricFamily(
            "ratchet_agent_lag", "Events that an agent has before it.", labels=["agent"]
        )
        decisions = CounterMetricFamily(
            "ratchet_agent_decisions", "Decisions since this process began.", labels=["agent"]
        )
        for shell in self._house.shells:
            name = [shell.agent.name]
            position.add_metric(name, shell.position)
            lag.add_metric(name, max(self._head - shell.position, 0))
            decisions.add_metric(name, shell.decisions)
        yield from (position, lag, decisions)


def _gauge(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, says, value=value)
