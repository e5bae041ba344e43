"""HubSpot as a destination of `suppress`."""
