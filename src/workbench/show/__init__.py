"""Finished frames become something to look at; nothing here computes a metric."""
