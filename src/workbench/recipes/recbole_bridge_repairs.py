"""RecBole's global habits, held back: nothing it does to the process outlives the `with` block.

RecBole 1.2.1 was written for numpy 1 and scipy before 1.13, reads the command line, evaluates text as Python, sets
CUDA_VISIBLE_DEVICES, writes TensorBoard folders and draws from the global random generators.
"""

import logging
import os
import random
import re
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout
from types import SimpleNamespace
from typing import Any

import numpy as np
import scipy.sparse as sp

ALIASES = {
    "float_": np.float64,
    "complex_": np.complex128,
    "unicode_": np.str_,
    "float": np.float64,
    "int": np.int_,
    "object": np.object_,
    "str": np.str_,
    "unicode": np.str_,
    "complex": np.complex128,
    "long": np.int_,
    "bool": np.bool_,
}
MISSING = object()
LOCK = threading.RLock()  # the patches below are seen by the whole process, so one fit or score at a time


@contextmanager
def tamed(seed: int, threads: int = 0) -> Iterator[str]:
    """Run RecBole code with its needs met, and put everything back afterwards.

    Gives numpy its old names, scipy's dok_matrix its old method, seeds Python's, numpy's and torch's global generators
    and restores their state, keeps RecBole's records and prints to itself, and gives a
    folder that is removed at the end.

    Args:
        seed: of the three generators.
        threads: that torch may use; 0 leaves it as it is.

    Yields:
        The path of an empty temporary folder, for the trainers that insist on one.
    """
    import torch

    with LOCK, ExitStack() as stack:
        stack.enter_context(_patched(np, ALIASES))
        stack.enter_context(_patched(sp.dok_matrix, {"_update": lambda matrix, entries: matrix._dict.update(entries)}))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(_quiet_root())
        stack.enter_context(redirect_stdout(stack.enter_context(open(os.devnull, "w", encoding="utf-8"))))
        stack.enter_context(_seeded(seed))
        stack.enter_context(_threads(threads))
        # One of its models turns on a search for NaN gradients that slows every later training in the process.
        stack.enter_context(_patched(torch.autograd, {"set_detect_anomaly": _nothing}))
        import recbole.trainer.trainer as trainer

        silent = SimpleNamespace(add_scalar=_nothing, add_hparams=_nothing)
        stack.enter_context(_patched(trainer, {"get_tensorboard": lambda logger: silent}))
        yield stack.enter_context(tempfile.TemporaryDirectory(prefix="workbench-recbole-"))


def make_config(model: str, settings: dict[str, Any], device: str) -> Any:
    """Build RecBole's Config from typed values alone.

    Args:
        model: RecBole's class name.
        settings: names and Python values; nothing is evaluated, no command line is read.
        device: "cpu" or a torch device such as "cuda".
    """
    import torch
    import yaml
    from recbole.config import Config

    class Loader(yaml.FullLoader):
        """A loader of its own, because RecBole would add its rule to PyYAML's shared one."""

    Loader.add_implicit_resolver(
        "tag:yaml.org,2002:float",
        re.compile(r"^[-+]?([0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+|[0-9]+\.[0-9]*|\.[0-9]+)$"),
        list("-+0123456789."),
    )

    class TypedConfig(Config):
        """RecBole's Config without argv, eval, numpy patches and environment variables."""

        def compatibility_settings(self) -> None:
            """Leave numpy alone; `tamed` has seen to it."""

        def _build_yaml_loader(self) -> type:
            return Loader

        def _convert_config_dict(self, config_dict: dict[str, Any]) -> dict[str, Any]:
            return config_dict

        def _load_cmd_line(self) -> dict[str, Any]:
            return {}

        def _init_device(self) -> None:
            self.final_config_dict |= {"single_spec": True, "local_rank": 0, "device": torch.device(device)}

    return TypedConfig(model=model, dataset="workbench-tables", config_dict=dict(settings))


def _nothing(*_args: object, **_kwargs: object) -> None:
    """Stand in for a call that shall do nothing."""


@contextmanager
def _patched(owner: Any, values: dict[str, Any]) -> Iterator[None]:
    kept = {name: vars(owner).get(name, MISSING) for name in values}
    for name, value in values.items():
        setattr(owner, name, value)
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is MISSING:
                delattr(owner, name)
            else:
                setattr(owner, name, value)


@contextmanager
def _quiet_root() -> Iterator[None]:
    """Drop the records that RecBole sends to the root logger; everybody else's pass."""

    def foreign(record: logging.LogRecord) -> bool:
        return "recbole" not in record.pathname.replace("\\", "/").split("/")

    root = logging.getLogger()
    root.addFilter(foreign)
    try:
        yield
    finally:
        root.removeFilter(foreign)


@contextmanager
def _threads(number: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    import torch

    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    python, numpy = random.getstate(), np.random.get_state()  # RecBole samples from these
    with torch.random.fork_rng(devices=devices):
        random.seed(seed)
        np.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numpy)
