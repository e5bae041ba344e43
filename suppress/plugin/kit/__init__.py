"""Proves a plugin in one class: subclass a contract, say how to open your platform, and run pytest.

```python
from suppress.plugin.kit import HttpExporterContract


class TestAcme(HttpExporterContract):
    calls = CALLS                                       # the plugin's own list of what it may send

    def simulator(self, place):                         # your platform, simulated; the kit closes it
        return Simulator()

    def opened(self, place, url):                       # your exporter, talking to that URL
        options = {"api_url": url, "token": "s3cret"}
        return Acme(DestinationSettings("mine", "acme", options=options), clock=self.clock)

    def known(self, place, addresses):
        self.at(place).add(addresses)

    def mails(self, place, address):                    # asked past the exporter
        return self.at(place).would_mail(address)
```

Which one to take:

* `HttpExporterContract` for whatever is told over HTTP. It puts a line between exporter and simulator that
  records what is sent and can disturb it: every trap of `suppress.plugin.kit.disturbing` is a test.
* `ExporterContract` for files, databases and the like; the other one holds all its tests too.
* `SourceContract` for a platform that is asked for opt-outs.

Run it against a simulator or a test account, never against one that mails people. `place` is an empty folder:
opening twice with the same one must reach the same destination, as another run of the program would.

pytest is needed to run these tests, not to import this module. They hold for every capability; a test of
something that your destination cannot do passes without touching it.
"""

from suppress.plugin.kit.entries import HOSTILE, POSITION, people
from suppress.plugin.kit.exporting import ExporterContract, Killed
from suppress.plugin.kit.over_http import HttpExporterContract
from suppress.plugin.kit.sourcing import SourceContract

__all__ = [
    "HOSTILE",
    "POSITION",
    "ExporterContract",
    "HttpExporterContract",
    "Killed",
    "SourceContract",
    "people",
]
