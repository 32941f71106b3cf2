"""Whether an account sends spam: what it did lately and before in, a score with its parts out."""
