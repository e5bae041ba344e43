"""Klaviyo as a destination of `suppress`."""
