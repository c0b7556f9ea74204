"""ipywidgets around charts: a remote control with no logic of its own."""
