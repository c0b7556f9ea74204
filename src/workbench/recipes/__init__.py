"""Recommendation recipes: one family a file, one small contract."""
