"""The data sets that a newcomer can run at once, and how a dataset group is made from one of them."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.columns import INTERACTIONS
from workbench.data.sample import Sample
from workbench.data.sample_journey import JOURNEY
from workbench.data.sample_movielens import MOVIELENS
from workbench.data.sample_openbandit import OPENBANDIT
from workbench.data.sample_shop import SHOP
from workbench.errors import SourceError, WorkspaceError, meant, nearest

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from workbench.data.flow import FlowResult
    from workbench.data.sources import Source
    from workbench.data.workspace import Workspace

BARE_NAME = re.compile(r"[^\s./\\:*?\[\]]+")  # no path, pattern or URL
SAMPLES: dict[str, Sample] = {each.name: each for each in (MOVIELENS, JOURNEY, OPENBANDIT, SHOP)}


def sample(name: str) -> Sample:
    """Find a sample by name.

    Raises:
        SourceError: there is no such sample.
    """
    if name not in SAMPLES:
        raise SourceError(f"There is no sample {name!r}.{nearest(name, SAMPLES)}")
    return SAMPLES[name]


def require_source(source: str, groups: Sequence[str] = ()) -> None:
    """Refuse a bare name that is no sample, none of the dataset groups and no file, naming what it may mean.

    Raises:
        SourceError: there is nothing of this name. Paths, patterns and URLs pass: opening them says what is wrong.
    """
    known = [*SAMPLES, *groups]
    if source not in known and BARE_NAME.fullmatch(source) and not Path(source).exists():
        what = "no sample, dataset group or file" if groups else "no sample or file"
        raise SourceError(f"There is {what} called {source!r}.{nearest(source, known)} Or give the path of a file.")


def sample_table(name: str, kind: str) -> "ir.Table":
    """Open a raw table of a sample, as `open_source` and `Flow.run` take it.

    Args:
        name: of the sample.
        kind: a dataset kind, or another raw table of the sample, such as "lists" of the shop.

    Raises:
        SourceError: no such sample or table, or its files are not installed.
    """
    return sample(name).table(kind)


def run_flow(name: str, kind: str) -> "FlowResult":
    """Run a sample's own flow for one dataset kind: raw table in, dataset rows and the record of every step out."""
    from workbench.data.flow import Flow

    found = sample(name)
    if kind not in found.flows:
        raise SourceError(f"The sample {name!r} has no {kind!r}.{nearest(kind, found.flows)}")
    return Flow(found.flows[kind]).run(found.table(kind), tables=found.looked_up(kind))


def prepare_sample(
    workspace: "Workspace", name: str, group: str | None = None, *, progress: bool = False
) -> dict[str, Any]:
    """Make a dataset group from a sample: run its flows and write every dataset kind it has.

    Args:
        workspace: where to write.
        name: of the sample.
        group: what to call the dataset group; the sample's name when not given. It may exist already: its datasets
            then get a new version.
        progress: show a bar.

    Returns:
        Dataset kind to the `DatasetVersion` written.

    Raises:
        SourceError: no such sample, or its files are not installed.
    """
    from tqdm.auto import tqdm

    found, place = sample(name), group or name
    found.files.path()
    workspace.create_group(place, domain=found.domain)
    written = {}
    # Interactions come last, so a group that has them is complete whenever the process may have died.
    kinds = sorted(found.kinds, key=INTERACTIONS.__eq__)
    for kind in tqdm(kinds, desc=f"preparing {name}", unit="table", disable=not progress):
        result = run_flow(name, kind)
        origin = {"sample": name, "table": kind, "flow": found.flows[kind], "flow_hash": result.hash}
        written[kind] = workspace.write_dataset(place, kind, result.table, origin=origin)
    return written


def ensure_group(workspace: "Workspace", group: str, progress: bool = False) -> None:
    """Make sure a dataset group is there: one that exists stays as it is, and a sample's name is prepared.

    Raises:
        WorkspaceError: neither a group nor a sample has this name.
        SourceError: it is a sample whose files are not installed.
    """
    groups = workspace.groups()["GROUP"].tolist()
    if group in groups and (group not in SAMPLES or workspace.has_dataset(group, INTERACTIONS)):
        return
    if group not in SAMPLES:
        raise WorkspaceError(
            f"There is no dataset group {group!r}.{meant(group, [*groups, *SAMPLES])} "
            f"Groups in this workspace: {', '.join(groups) or 'none yet'}. "
            f"Samples: {', '.join(SAMPLES)}. Prepare your own data with notebook 10_prepare_data, or name a sample."
        )
    prepare_sample(workspace, group, progress=progress)


def open_beside(group: str, source: Any) -> "Source":
    """Open a table that belongs to a dataset group but is no dataset, such as a log of the lists shown.

    Args:
        group: a dataset group.
        source: a raw table of the sample that the group is named after, such as "lists" of
            the shop; else anything that `open_source` takes.
    """
    from workbench.data.sources import open_source

    if group in SAMPLES and isinstance(source, str) and source in SAMPLES[group].queries:
        return open_source(sample_table(group, source))
    return open_source(source)
