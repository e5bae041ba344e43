"""The built-in ways of alerting: a signed webhook, a command, and e-mail."""
