"""When each server is asked, what for, and what its answers change."""
