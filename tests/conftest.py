"""For all tests: none of them depends on the clock, so hypothesis sets no deadline either."""

from hypothesis import settings

settings.register_profile("allmende", deadline=None)
settings.load_profile("allmende")
