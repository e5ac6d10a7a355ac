"""Real processes, really killed: engines over a database and an exchange that outlive them."""
