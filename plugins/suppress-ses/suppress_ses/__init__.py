"""Amazon SES as a destination of `suppress`."""
