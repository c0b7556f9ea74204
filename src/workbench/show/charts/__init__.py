"""Finished frames become plotly figures, one file per subject."""
