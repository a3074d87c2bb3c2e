"""Benchmarks: ratios against their goals, printed by `make bench`. Never part of the tests."""
