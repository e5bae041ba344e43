"""SendGrid as a destination of `suppress`."""
