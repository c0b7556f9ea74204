"""Filter expressions: Personalize's language and more, from text to tree and back.

`parse` reads one; `str()` of what it gives is its canonical spelling.
"""

from workbench.serving.filter_errors import FilterTextError
from workbench.serving.filter_parser import parse
from workbench.serving.filter_tree import Filter

__all__ = ["Filter", "FilterTextError", "parse"]
