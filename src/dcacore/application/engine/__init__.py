"""The live engine: it feeds events to `decide` and does what comes of them, for many bots at once.

engine.py       the supervisor: which bots run here, requests of users, what must go on
bringing_up.py  one path from the database to a running bot, at start, after a gap and after every failure
comparing.py    the comparison of an account with the database; comparing_*.py: of its orders, of its holdings, ...
runner.py       one bot: its inbox, its turns; accounting.py: what a turn comes to, in one transaction
wire.py         the way of one bot's orders to the exchange and back
desk.py         one account: its events, its funds, its key; patience.py: when its exchange may be asked
feed.py         one environment's prices; triggers.py: whom a price concerns
watching.py     what each bot is to be told next; alarms.py: times to come
hindsight.py    which prices a buy has overtaken
watchdog.py     who has gone silent
ownership.py    who acts: this engine alone, or several by leases
"""
