"""Which of RecBole's models the bridge offers, which it refuses and why, and which parameters each one knows.

Reads the model list and the defaults from the installed wheel's own files without importing RecBole.
"""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from workbench.errors import RecipeError, nearest

PREFIX = "recbole:"
GENERAL, SEQUENTIAL, CONTEXT = "general", "sequential", "context"
FOLDERS = {
    "general_recommender": GENERAL,
    "sequential_recommender": SEQUENTIAL,
    "context_aware_recommender": CONTEXT,
    "knowledge_aware_recommender": "knowledge",
    "exlib_recommender": "exlib",
}
WRONG_KIND = {
    "knowledge": "it needs a knowledge graph, which no dataset kind holds",
    "exlib": "it needs the packages lightgbm or xgboost, which RecBole does not declare",
}
REFUSED = {
    "NCL": "it needs the package faiss, which RecBole does not declare",
    "GRU4RecKG": "it needs vectors pretrained on a knowledge graph, which no dataset kind holds",
    "KSR": "it needs vectors pretrained on a knowledge graph, which no dataset kind holds",
}
ITEM_ATTRIBUTES = frozenset({"FDSA", "GRU4RecF", "S3Rec", "SASRecF"})  # nothing to learn from without an items table
WHOLE_HISTORY = frozenset({"DIEN", "DIN"})  # read the history anew for every item they score
# Beside all context-aware ones, the models that score one user with one item at a time.
ITEM_BY_ITEM = WHOLE_HISTORY | {"ConvNCF", "NNCF", "NeuMF"}
# Trained in stages, the last one for `epochs`. RecBole passes from one to the next through pickled files.
STAGES = {
    "KD_DAGFM": ("phase", ("teacher_training", "distillation", "finetuning")),
    "RaCT": ("train_stage", ("actor_pretrain", "critic_pretrain", "finetune")),
    "S3Rec": ("train_stage", ("pretrain", "finetune")),
}
# What the bridge itself understands beside a model's own parameters.
BRIDGE: dict[str, Any] = {
    "epochs": 30,
    "train_batch_size": 2048,
    "learning_rate": 0.001,
    "learner": "adam",
    "weight_decay": 0.0,
    "stopping_step": 5,
    "refit": False,
    "budget_minutes": 0.0,
    "max_history": 0,
    "device": "auto",
    "threads": 1,  # small products gain nothing from more, and wait for each other where others compute too
}
# Fitted at once, so nothing about epochs means anything to them.
CLOSED_FORM = frozenset({"ADMMSLIM", "AsymKNN", "EASE", "ItemKNN", "NCEPLRec", "Pop", "Random", "SLIMElastic"})
# Small batches: the big ones do not fit a CPU's cache and take several times as long.
SEQUENCE_ONLY: dict[str, Any] = {
    "MAX_ITEM_LIST_LENGTH": 50,
    "max_rows": 20_000,
    "epochs": 10,
    "train_batch_size": 128,
    "budget_minutes": 2.0,
    "threads": 0,  # as many as torch wants
}
CONTEXT_ONLY: dict[str, Any] = {"epochs": 10, "budget_minutes": 2.0, "threads": 0}
# RecBole's learning rate of 0.001 is set for 300 epochs; these reach the same level within a coffee break.
OURS: dict[str, dict[str, Any]] = {
    "BPR": {"learning_rate": 0.005},
    "LightGCN": {"learning_rate": 0.02, "train_batch_size": 8192, "stopping_step": 10},  # it rests early, then climbs
    "SASRec": {"hidden_dropout_prob": 0.2, "attn_dropout_prob": 0.2, "max_rows": 10_000, "epochs": 10},
    "KD_DAGFM": {"pretrain_epochs": 3},
    "RaCT": {"pretrain_epochs": 10},
    "S3Rec": {"pretrain_epochs": 3, "item_attribute": ""},
    "FDSA": {"selected_features": []},
    "GRU4RecF": {"selected_features": []},
    "SASRecF": {"selected_features": []},
}
# RecBole runs this text as code.
CHOICES = {("KD_DAGFM", "teacher"): ("CIN", "CrossNet"), ("LDiffRec", "n_cate"): (1,)}
# Names that make a model open a file: RecBole's files are pickles, and pickles run code. Stages are the bridge's own.
FILES = re.compile(r"path|pretrain|train_stage|save_step|^warm_up$|^phase$")
POSITIVE = ("epochs", "learning_rate", "max_rows", "MAX_ITEM_LIST_LENGTH", "most_values", "train_batch_size")
NUMBER = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d+")  # YAML 1.1 reads 1e-05 as text


@cache
def models() -> dict[str, str]:
    """Map every model name of the installed RecBole to its kind: general, sequential, context, knowledge, exlib."""
    root = _wheel()
    by_file = {path.stem.casefold(): path.stem for path in (root / "properties" / "model").glob("*.yaml")}
    by_file |= {"random": "Random"}  # the only model without a file of defaults
    return {
        by_file[path.stem]: kind
        for folder, kind in FOLDERS.items()
        for path in (root / "model" / folder).glob("*.py")
        if path.stem in by_file
    }


def offered() -> list[str]:
    """List the models that the bridge can fit, by name."""
    return sorted(name for name, kind in models().items() if kind not in WRONG_KIND and name not in REFUSED)


def find_model(name: str) -> str:
    """Check a model's name, with or without the `recbole:` prefix, and give back its kind.

    Raises:
        RecipeError: RecBole has no such model, or the bridge cannot fit it; the message says why.
    """
    bare = name.removeprefix(PREFIX)
    kind = models().get(bare)
    if kind is None:
        raise RecipeError(f"RecBole has no model {bare!r}.{nearest(bare, offered())}")
    reason = REFUSED.get(bare) or WRONG_KIND.get(kind)
    if reason:
        raise RecipeError(f"recbole:{bare} cannot run here: {reason}. Offered: {', '.join(offered())}.")
    return kind


def default_parameters(model: str) -> dict[str, Any]:
    """Give every parameter that a model takes, with its default.

    Args:
        model: a name from `offered`.

    Returns:
        The bridge's own parameters (epochs, budget_minutes …) and the model's, as Python values. Defaults are RecBole's
        unless this file sets another.
    """
    kind = find_model(model)
    path = _wheel() / "properties" / "model" / f"{model}.yaml"
    own = yaml.safe_load(path.read_text(encoding="utf-8")) if path.is_file() else None
    own = {name: _number(value) for name, value in (own or {}).items() if not FILES.search(name)}
    extra = {SEQUENTIAL: SEQUENCE_ONLY, CONTEXT: CONTEXT_ONLY}.get(kind, {})
    bridge = {"max_history": 0} if model in CLOSED_FORM else BRIDGE
    attributes = {"most_values": 2_000} if uses_attributes(model) else {}
    return bridge | extra | attributes | own | OURS.get(model, {})


def uses_attributes(model: str) -> bool:
    """Say whether a model learns from columns of the items or the users table."""
    return models()[model] == CONTEXT or model in ITEM_ATTRIBUTES | WHOLE_HISTORY


def scores_item_by_item(model: str) -> bool:
    """Say whether a model takes one user with one item at a time."""
    return models()[model] == CONTEXT or model in ITEM_BY_ITEM


def pairs_at_once(model: str) -> tuple[int, int]:
    """Give how many user-item pairs such a model scores at once, and how many in one validation."""
    if model in WHOLE_HISTORY:
        return 1_024, 10_000
    return (1_024, 30_000) if model == "ConvNCF" else (16_384, 300_000)


def complete_parameters(model: str, given: dict[str, Any]) -> dict[str, Any]:
    """Check parameters by name and type and fill in the defaults.

    Raises:
        RecipeError: a name the model does not know (names the nearest), or a value of another type than the default's.
    """
    known = default_parameters(model)
    for name, value in given.items():
        if name not in known:
            raise RecipeError(f"recbole:{model} has no parameter {name!r}.{nearest(name, known)}")
        _check_value(model, name, value, known[name])
    return known | given


def _check_value(model: str, name: str, value: Any, default: Any) -> None:
    """Hold a value to its default's type: RecBole itself would run text as Python code."""
    accepted: tuple[type, ...] = (type(default),)
    if isinstance(default, float) or (isinstance(default, int) and not isinstance(default, bool)):
        accepted = (int, float)
    wrong_bool = isinstance(value, bool) and not isinstance(default, bool)
    if default is None:
        accepted, wrong_bool = (int, float, bool, list, dict, type(None)), False
    if wrong_bool or not isinstance(value, accepted):
        needed = " or ".join(each.__name__ for each in accepted)
        raise RecipeError(
            f"recbole:{model}: {name}={value!r} is {type(value).__name__}, needs {needed}, such as {default!r}."
        )
    if name in POSITIVE and value <= 0:
        raise RecipeError(f"recbole:{model}: {name}={value!r} must be above 0, such as {default!r}.")
    if name in ("budget_minutes", "max_history") and not value >= 0:
        raise RecipeError(f"recbole:{model}: {name}={value!r} must not be below 0; 0 means no limit.")
    choices = CHOICES.get((model, name), (value,))
    if value not in choices:
        raise RecipeError(f"recbole:{model}: {name}={value!r} is not one of {list(choices)}.")


def _number(value: Any) -> Any:
    """Read numbers that YAML 1.1 leaves as text, also inside lists."""
    if isinstance(value, list):
        return [_number(each) for each in value]
    return float(value) if isinstance(value, str) and NUMBER.fullmatch(value) else value


def _wheel() -> Path:
    spec = find_spec("recbole")  # finds without importing
    if spec is None or spec.origin is None:
        raise RecipeError("RecBole is not installed. Run: pip install --no-deps recbole==1.2.1")
    return Path(spec.origin).parent
