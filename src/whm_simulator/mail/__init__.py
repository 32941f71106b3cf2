"""The words for a server's mail: rows, sums, queue, accounts, and what a source of it gives."""
