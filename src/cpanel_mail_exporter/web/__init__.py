"""The HTTP side: serves what has been published, and nothing else."""
