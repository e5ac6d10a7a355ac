"""A Polar of the tests' own on a loopback port, and what it is good for: no account, no token, every fault."""
