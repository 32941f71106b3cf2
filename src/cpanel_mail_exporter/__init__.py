"""Prometheus exporter for the mail of cPanel & WHM servers."""

__version__ = "0.1.0"
