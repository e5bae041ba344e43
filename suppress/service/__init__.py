"""`suppress sync --every …`: the same sync again and again, for years, without anybody looking.

Rules kept here:

* One service for each ledger (`one_instance`); a second one says who holds it.
* A run that fails is tried again, later and later (`schedule`); only settings that are wrong end the service.
* What was missed, asleep or switched off, is caught up once. A clock that is set costs at most one early run.
* Told to stop, it finishes the page that it reads (`stopping`); killed at any moment, nothing is lost either.
* No address and no token gets into a line of the log (`log`).
"""
