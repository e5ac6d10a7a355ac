"""The security of the pages."""
