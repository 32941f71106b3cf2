"""Prometheus exporter for the mail of cPanel & WHM servers."""
