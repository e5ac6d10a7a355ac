"""A backtest as one HTML file that opens anywhere, offline."""

from dcacore.backtest.html._render import render_html

__all__ = ["render_html"]
