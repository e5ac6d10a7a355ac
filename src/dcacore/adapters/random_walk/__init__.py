"""A market made of chance, for trying things out without data."""

from dcacore.adapters.random_walk._walk import YEAR, random_walk

__all__ = ["YEAR", "random_walk"]
