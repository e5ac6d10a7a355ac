"""Every fault of the catalogue that can meet the engine, one test or more each: see docs/reference/faults.md."""
