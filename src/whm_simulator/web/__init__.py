"""HTTP around the answers: login, faults, the control endpoint and certificates."""
