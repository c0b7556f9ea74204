"""Honest numbers: splits, metrics and intervals as pure functions over tables."""
