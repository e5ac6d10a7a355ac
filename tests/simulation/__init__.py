"""The live engine in a world of its own: virtual time, an exchange that fails, a process that dies, a user who asks."""
