"""A program to look at: throw-away, with a user, three bots, their past of thirty days, and lively markets."""

from __future__ import annotations

from dcacore.bootstrap.demo.opening import SEED, SPEED, Demo, DemoOptions, Tell, demo
from dcacore.bootstrap.demo.people import EMAIL, PASSWORD
from dcacore.bootstrap.demo.running import run_demo

__all__ = ["EMAIL", "PASSWORD", "SEED", "SPEED", "Demo", "DemoOptions", "Tell", "demo", "run_demo"]
