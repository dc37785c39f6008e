"""For all tests: how hypothesis behaves."""

from __future__ import annotations

import os

from hypothesis import settings

# No deadline: two cores run several things at once, and a slow example is no wrong one. In CI the same examples every time.
settings.register_profile("evenport", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("evenport")
