"""Numbers in Prometheus' text form. Loaded where somebody asks for them, which needs a METRICS_PORT."""

from collections.abc import Iterable, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Page(Collector):
    """The numbers of one scrape, in the order in which they are added."""

    def __init__(self) -> None:
        self._families: list[Metric] = []

    def gauge(self, name: str, text: str, value: float) -> None:
        """Add a number that goes up and down."""
        self._families.append(GaugeMetricFamily(name, text, value=value))

    def gauges(self, name: str, text: str, label: str, values: Mapping[str, float]) -> None:
        """Add such numbers, by what their label says."""
        family = GaugeMetricFamily(name, text, labels=[label])
        for which, value in values.items():
            family.add_metric([which], value)
        self._families.append(family)

    def counters(self, name: str, text: str, label: str, values: Mapping[str, float], since: float) -> None:
        """Add numbers that only go up; ``since`` is the Unix time from which they are counted."""
        family = CounterMetricFamily(name, text, labels=[label])
        for which, value in values.items():
            family.add_metric([which], value, created=since)
        self._families.append(family)

    def collect(self) -> Iterable[Metric]:
        """Metrics, as a registry asks for them."""
        return self._families

    def text(self) -> bytes:
        """The whole of it."""
        registry = CollectorRegistry()
        registry.register(self)
        return generate_latest(registry)
