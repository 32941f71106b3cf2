"""Families and delivery records in, bytes that Prometheus reads out."""
