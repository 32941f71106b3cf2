"""Where ledgers are kept: in memory, or in one SQLite file for each server."""
