"""The mail that a real Exim main log tells of, as a source of rows like the made-up one."""
