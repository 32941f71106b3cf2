"""The simulated mail: who sends what to whom, and what becomes of it. No I/O, no clock."""
