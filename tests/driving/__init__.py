"""What moves the markets of a local exchange."""
