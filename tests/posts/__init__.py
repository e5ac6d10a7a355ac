"""Mail services on loopback, of the tests' own, with the faults of real ones."""
