"""Accept and Accept-Encoding in, exposition format and gzip or not out; pure and total.

How scrapers ask (Prometheus, scrape/scrape.go `acceptHeader`): versions are told apart by a
parameter, weights fall from left to right, and a wildcard ends the list, as in
`application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,...,*/*;q=0.2`. A protobuf
range may stand first; it is passed over. `escaping` says what a scraper can take, not what it
must get, so it doesn't matter here: all our names are plain.
"""

from collections.abc import Iterator

from cpanel_mail_exporter.exposition.body import Format

_VERSIONS = {
    Format.TEXT: ("text/plain", "0.0.4"),
    Format.OPENMETRICS: ("application/openmetrics-text", "1.0.0"),
}


def exposition_format(accept: str | None) -> Format:
    """The format a client likes best; text where it has no wish, an equal wish or an odd one.

    A range for another version (OpenMetrics 0.0.1, text 1.0.0) doesn't match, since what we would
    send isn't that. Nobody is turned away: a client that names neither format gets text.

    >>> exposition_format("application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    <Format.OPENMETRICS: 'application/openmetrics-text; version=1.0.0; charset=utf-8'>
    """
    ranges = list(_elements(accept or ""))
    openmetrics = _wish(ranges, Format.OPENMETRICS)
    return Format.OPENMETRICS if openmetrics > _wish(ranges, Format.TEXT) else Format.TEXT


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether gzip is wanted: named or covered by `*`, not refused, and liked no less than plain.

    Without the header anything would be allowed, but clients that don't send it (curl) don't
    unpack either.
    """
    weights: dict[str, float] = {}
    for coding, _, weight in _elements(accept_encoding or ""):
        name = coding.removeprefix("x-")
        weights[name] = max(weight, weights.get(name, 0.0))
    gzip = weights.get("gzip", weights.get("*", 0.0))
    return gzip > 0 and gzip >= weights.get("identity", 0.0)


def _wish(ranges: list[tuple[str, dict[str, str], float]], wanted: Format) -> tuple[float, bool]:
    """Weight of *wanted*, and whether it was asked for by name rather than by wildcard."""
    matching = [
        (_closeness(kind, parameters, wanted), weight) for kind, parameters, weight in ranges
    ]
    closeness, weight = max(matching, default=(-1, 0.0))
    return (weight, weight > 0 and closeness >= 2) if closeness >= 0 else (0.0, False)


def _closeness(kind: str, parameters: dict[str, str], wanted: Format) -> int:
    """How closely a range describes *wanted*: -1 not at all, 3 by its version."""
    own_kind, own_version = _VERSIONS[wanted]
    if kind == "*/*":
        return 0
    if kind == own_kind.split("/")[0] + "/*":
        return 1
    if kind != own_kind or parameters.get("charset", "utf-8").lower() != "utf-8":
        return -1
    version = parameters.get("version")
    if version is None:
        return 2
    return 3 if version == own_version else -1


def _elements(header: str) -> Iterator[tuple[str, dict[str, str], float]]:
    """Name, parameters and weight of each element of a list; elements with a bad weight fall out.

    A comma or semicolon within quotes also separates: no scraper sends one, and the worst that
    comes of it is the other format.
    """
    for element in header.split(","):
        name, *rest = (part.strip() for part in element.split(";"))
        parameters: dict[str, str] = {}
        for part in rest:
            key, _, value = part.partition("=")
            parameters[key.strip().lower()] = value.strip().strip('"')
        weight = _weight(parameters.pop("q", "1"))
        if name and weight is not None:
            yield name.lower(), parameters, weight


def _weight(text: str) -> float | None:
    if len(text) > 8 or not text.isascii() or not text.replace(".", "", 1).isdigit():
        return None
    return min(1.0, float(text))
