"""Configuration file, flags and environment in; checked settings out, or every mistake at once."""
