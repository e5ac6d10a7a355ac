"""The live engine: it feeds events to `decide` and does what comes of them, for many bots at once.

engine.py      the supervisor: which bots run here, requests of users, heartbeat
bringing_up.py one path from the database to a running bot, at start, after a gap and after every failure
runner.py      one bot: its inbox, its turns, one transaction each
wire.py        the way of one bot's orders to the exchange and back
desk.py        one account: its events, its comparison with the database, its funds
feed.py        one environment's prices, routed by `triggers.py`
alarms.py      times to come
ownership.py   who acts: this engine alone, or leases
"""
