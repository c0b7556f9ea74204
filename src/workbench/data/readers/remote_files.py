"""Files behind a URL, streamed to the scratch folder: http, https and what fsspec knows (s3, gs, az …)."""

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from workbench.data.readers.unpacking import new_folder
from workbench.errors import SourceError

CHUNK = 1 << 22
WEB = ("http", "https")
EXTRA = "pip install 'recommendation-workbench[cloud]'"
IN_CLOUD = ("s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl")


def is_url(source: str) -> bool:
    """Whether text names a protocol, such as s3://."""
    return "://" in source


def fetch(url: str, progress: bool = False) -> Path:
    """Copy what a URL names into the scratch folder: one file, or all of a folder or glob in an object store.

    Args:
        url: where it is.
        progress: show a bar that counts bytes.

    Returns:
        The file, or the folder that holds the files.

    Raises:
        SourceError: unknown protocol, missing library, nothing there, or no access.
    """
    import fsspec

    scheme, shown = url.split("://", 1)[0], without_secrets(url)
    try:
        store, path = fsspec.core.url_to_fs(url)
    except ImportError as error:
        hint = EXTRA if scheme in IN_CLOUD else f"install what fsspec asks for: {error}"
        raise SourceError(f"{shown}: reading {scheme}:// needs another package: {hint}.") from error
    except ValueError as error:
        raise SourceError(
            f"{shown}: the protocol {scheme!r} is unknown. Known: http, https, s3, gs, az; databases: duckdb, sqlite, "
            "postgresql; or a local path."
        ) from error
    try:
        return _copy(store, path, scheme, shown, progress)
    except SourceError:
        raise
    except FileNotFoundError as error:
        cause = f" ({error.__cause__})" if error.__cause__ else ""
        raise SourceError(
            f"{shown}: nothing there, or the server does not answer{cause}. Check the address."
        ) from error
    except Exception as error:  # each store has errors of its own: network, credentials, permissions
        raise SourceError(f"{shown}: cannot be fetched ({type(error).__name__}: {str(error)[:300]}).") from error


def without_secrets(url: str) -> str:
    """A URL without user, password and query, fit for messages."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{f':{parts.port}' if parts.port else ''}{parts.path}"


def _copy(store: Any, path: str, scheme: str, shown: str, progress: bool) -> Path:
    folder = new_folder()
    if scheme in WEB:
        name = Path(urlsplit(path).path).name or "download"
        return _download(store, path, folder / name, progress)
    if any(mark in path for mark in "*?["):
        found = store.glob(path)
    else:
        found = store.find(path) if store.isdir(path) else [path]
    if not found:
        raise SourceError(f"{shown}: nothing there. Check the address.")
    root = path.split("*")[0].rpartition("/")[0] if len(found) > 1 else path.rpartition("/")[0]
    for each in sorted(found):
        target = folder / each.removeprefix(root).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        _download(store, each, target, progress)
    files = [each for each in folder.rglob("*") if each.is_file()]
    return files[0] if len(files) == 1 else folder


def _download(store: Any, path: str, target: Path, progress: bool) -> Path:
    from tqdm.auto import tqdm

    bar = {"desc": target.name, "disable": not progress}
    with (
        store.open(path, "rb") as remote,
        target.open("wb") as local,
        tqdm.wrapattr(local, "write", **bar) as counted,
    ):
        shutil.copyfileobj(remote, counted, CHUNK)
    return target
