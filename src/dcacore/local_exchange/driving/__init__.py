"""What moves the markets of a local exchange: candles, chance, a hand, or the real market; and what keeps its state.

Nothing in here knows the wire. All drivers act on a `Movable`, which a `SimulatedVenue` is.
"""
