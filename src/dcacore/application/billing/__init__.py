"""What is sold: buying it, hearing of it, and what follows from it for a user's bots."""
