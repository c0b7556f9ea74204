"""A recommendation workbench: prepare data, train recipes, compare them honestly, and show what they earned."""

__version__ = "0.1.0"
