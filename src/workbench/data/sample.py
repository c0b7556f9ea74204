"""What a sample is: where its raw tables lie, and the flows that make datasets of them."""

import importlib.util
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.data.connection import connect, create_view, literal
from workbench.errors import SourceError, nearest

if TYPE_CHECKING:
    import ibis.expr.types as ir

REPOSITORY = Path(__file__).parents[3]  # where data/samples lies when the package runs from its repository


@dataclass(frozen=True)
class Wheel:
    """Data files that travel inside an installed package. The package itself is never imported.

    package: the import name. folder: where in the package the files are. install: how to get it.
    """

    package: str
    folder: str
    install: str

    def path(self) -> Path:
        """The folder of the data files.

        Raises:
            SourceError: the package is not installed, or this version of it carries no such files.
        """
        found = importlib.util.find_spec(self.package)
        if found is None or found.origin is None:
            raise SourceError(
                f"The sample's files are inside the package {self.package!r}, which is not installed. "
                f"Get it with: {self.install}"
            )
        folder = Path(found.origin).parent / self.folder
        if not folder.is_dir():
            raise SourceError(
                f"The installed package {self.package!r} has no folder {self.folder!r}: another version of it does. "
                f"Get it with: {self.install}"
            )
        return folder


@dataclass(frozen=True)
class Shipped:
    """Data files in the repository's own folder of samples, such as data/samples/shop."""

    folder: str

    def path(self) -> Path:
        """The folder of the data files.

        Raises:
            SourceError: the package runs without its repository.
        """
        folder = REPOSITORY / self.folder
        if not folder.is_dir():
            raise SourceError(
                f"The sample's files are in {self.folder!r} of the workbench's repository, and {folder} is not there. "
                "Install the workbench from its repository with: pip install -e ."
            )
        return folder


@dataclass(frozen=True)
class Sample:
    """A data set that a newcomer can run at once.

    name: what to call it. about: what it is, one or two sentences. licence: what its sources say, not legal advice.
    domain: "ECOMMERCE", "VIDEO_ON_DEMAND", or None for a group with custom schemas.
    files: where its raw files are. queries: raw table name to a SELECT in which {folder} stands for that place; a
        dataset kind's raw table has the kind's name, other tables are what flows may look up.
    flows: dataset kind to the steps that make it from its raw table, as `workbench.data.flow.Flow` takes them.
    """

    name: str
    about: str
    licence: str
    domain: str | None
    files: Wheel | Shipped
    queries: Mapping[str, str]
    flows: Mapping[str, list[dict[str, Any]]]

    @property
    def kinds(self) -> tuple[str, ...]:
        """The dataset kinds that the sample fills."""
        return tuple(self.flows)

    def table(self, name: str) -> "ir.Table":
        """Open one raw table, lazily, as it came.

        Raises:
            SourceError: the sample has no such table, or its files are not there.
        """
        if name not in self.queries:
            raise SourceError(f"The sample {self.name!r} has no table {name!r}.{nearest(name, self.queries)}")
        folder = literal(str(self.files.path()))[1:-1]
        return connect().table(create_view(self.queries[name].replace("{folder}", folder), "sample"))

    def looked_up(self, kind: str) -> dict[str, "ir.Table"]:
        """The further raw tables that a kind's flow joins or reads in its SQL."""
        options = [value for step in self.flows[kind] for name, value in step.items() if name != "why"]
        words = set(re.findall(r"\w+", " ".join(map(str, options))))
        return {name: self.table(name) for name in self.queries if name in words and name not in self.flows}
