"""Hypothesis draws the same examples in every run, so that a red build stays red until it is mended."""

from hypothesis import HealthCheck, settings

settings.register_profile("stable", derandomize=True, deadline=None, max_examples=40, database=None,
                          suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
settings.load_profile("stable")
