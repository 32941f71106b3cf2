"""The remote API: what to ask, how it is asked, and what its answers mean."""
