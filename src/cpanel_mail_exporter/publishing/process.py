"""Figures of this process (memory, CPU, descriptors), read when asked."""

from collections.abc import Sequence

from prometheus_client import ProcessCollector

from cpanel_mail_exporter.model.family import Family, FamilySamples


class ProcessFigures:
    """process_* families, as Prometheus's own client library gives them."""

    def __init__(self) -> None:
        self._collector = ProcessCollector(registry=None)

    def collect(self) -> Sequence[FamilySamples]:
        """The figures of this instant."""
        families = []
        for metric in self._collector.collect():
            is_counter = metric.type == "counter"
            family = Family(
                f"{metric.name}_total" if is_counter else metric.name,
                "counter" if is_counter else "gauge",
                metric.documentation,
                of_server=False,
            )
            families.append(FamilySamples(family, [((), s.value) for s in metric.samples]))
        return families
