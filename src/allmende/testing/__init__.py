"""Shipped helpers for tests, plug-ins and the demo: archives to read, servers that misbehave, conformance suites."""
