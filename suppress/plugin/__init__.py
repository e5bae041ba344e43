"""What a plugin author sees.

Start with `hookspec` (what to implement, with whole examples), then `contract` (the values that go in and
out), `transport` (HTTP that paces, retries and refuses to subscribe anyone) and `kit` (the tests to pass).
"""
