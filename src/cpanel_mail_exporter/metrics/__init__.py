"""Snapshots in, families with samples out; every family is declared once."""
