"""Filter expressions: Personalize's language and more, from text to tree and back.

`parse` reads one, `str()` of what it gives is its canonical spelling, `check` holds it against the columns there are
and the kind of request, `portable` says whether Amazon Personalize would take it, and `outline` lays its parts out.
notebooks/guides/filters.md explains the language.
"""

from workbench.serving.filter_check import check
from workbench.serving.filter_errors import FilterTextError
from workbench.serving.filter_parser import parse
from workbench.serving.filter_portable import Portability, portable
from workbench.serving.filter_print import outline
from workbench.serving.filter_tree import Filter

__all__ = ["Filter", "FilterTextError", "Portability", "check", "outline", "parse", "portable"]
