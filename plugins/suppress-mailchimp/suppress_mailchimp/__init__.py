"""Mailchimp as a destination of `suppress`."""
