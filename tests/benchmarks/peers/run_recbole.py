"""Stock RecBole: its own files, loaders, trainer and defaults, through the documented calls.

`model` of the settings names the class, the rest goes into RecBole's configuration. Each user's last training event
is for validation (EASE has nothing to validate and learns from all), NDCG at 10 on it chooses the pass. Sequence
models get RecBole's prefix augmentation, one row a prefix. Lists come from the model's own full-sort prediction.
"""

import logging
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from common import Job, TimeUp, read_job
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.data.interaction import Interaction
from recbole.utils import get_model, get_trainer, init_seed

NAME = "split"  # RecBole's word for a folder of atomic files
CLOSED_FORM = ("EASE",)
BATCH = 256  # users scored at once


def main() -> None:
    job = read_job()
    train, history, users = job.tables()
    given = dict(job.settings)
    name = given.pop("model")
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)  # RecBole writes ./log_tensorboard where it stands
        kept: dict[str, Any] = {"curve": [], "weights": None, "best": -1.0}
        with job.fitting():
            config = Config(model=name, dataset=NAME, config_dict=_settings(job, name, given, Path(place)))
            _write_atomic(train, Path(place) / NAME, closed=name in CLOSED_FORM)
            init_seed(job.seed, True)
            dataset = create_dataset(config)
            learning, checking, _ = data_preparation(config, dataset)
            model = get_model(name)(config, learning.dataset)
            if name not in CLOSED_FORM:
                _fit(job, config, model, learning, checking, kept)
        if kept["weights"]:
            model.load_state_dict(kept["weights"])
        with job.listing():
            lists = _lists(job, config, dataset, model, history, users)
        job.write(lists, "recbole", "torch", "numpy", "scipy", curve=kept["curve"])


def _settings(job: Job, name: str, given: dict[str, Any], place: Path) -> dict[str, Any]:
    found = {
        "data_path": str(place),
        "load_col": {"inter": ["user_id", "item_id", "timestamp"]},
        "use_gpu": False,
        "show_progress": False,
        "seed": job.seed,
        "valid_metric": "NDCG@10",
        "metrics": ["NDCG", "Hit"],
        "eval_args": {"split": {"LS": "valid_and_test"}, "order": "TO", "group_by": "user", "mode": "full"},
        "benchmark_filename": None,
    }
    if name in CLOSED_FORM:
        found["benchmark_filename"] = ["train", "valid", "test"]
    if name == "SASRec":
        found["train_neg_sample_args"] = None  # its loss looks at all items
    return found | given


def _write_atomic(train: pd.DataFrame, folder: Path, closed: bool) -> None:
    """Write RecBole's files. Times are positions in the user's history: float32 cannot hold epoch seconds.

    RecBole's leave-one-out wants a test event too; a copy of the last event stands in for it and is never looked at,
    so that validation is on the last event and training on everything before it.
    """
    folder.mkdir()
    table = pd.DataFrame(
        {
            "user_id:token": train["USER_ID"],
            "item_id:token": train["ITEM_ID"],
            "timestamp:float": train.groupby("USER_ID").cumcount(),
        }
    )
    last = table.drop_duplicates("user_id:token", keep="last")
    if closed:
        for part, rows in (("train", table), ("valid", last), ("test", last)):
            rows.to_csv(folder / f"{NAME}.{part}.inter", sep="\t", index=False)
    else:
        copied = last.assign(**{"timestamp:float": last["timestamp:float"] + 1})
        pd.concat([table, copied]).to_csv(folder / f"{NAME}.inter", sep="\t", index=False)


def _fit(job: Job, config: Config, model: Any, learning: Any, checking: Any, kept: dict[str, Any]) -> None:
    """Train with RecBole's trainer; the clock is looked at before every batch, the best weights stay in memory."""
    own = model.calculate_loss

    def watched(interaction: Interaction) -> Any:
        job.check_time()
        return own(interaction)

    def note(epoch: int, value: float) -> None:
        kept["curve"].append({"epoch": epoch + 1, "seconds": job.elapsed(), "ndcg@10": float(value)})
        if value > kept["best"]:
            kept["best"] = float(value)
            kept["weights"] = {key: each.clone() for key, each in model.state_dict().items()}

    model.calculate_loss = watched
    trainer = get_trainer(config["MODEL_TYPE"], config["model"])(config, model)
    try:
        trainer.fit(learning, checking, verbose=False, saved=False, callback_fn=note)
    except TimeUp:
        job.stopped()


def _lists(job: Job, config: Config, dataset: Any, model: Any, history: pd.DataFrame, users: list[str]) -> pd.DataFrame:
    model.eval()
    items = np.asarray(dataset.id2token("item_id", np.arange(dataset.item_num)))
    ours = history.assign(item=dataset.token2id("item_id", history["ITEM_ID"].to_numpy()))
    past = {user: rows.to_numpy() for user, rows in ours.groupby("USER_ID")["item"]}
    found = []
    for start in range(0, len(users), BATCH):
        some = users[start : start + BATCH]
        with torch.no_grad():
            asked = _interaction(config, dataset, some, past)
            scores = model.full_sort_predict(asked).reshape(len(some), -1).numpy().copy()
        scores[:, 0] = -np.inf
        for row, user in enumerate(some):
            scores[row, past[user]] = -np.inf
        best = np.argsort(-scores, axis=1, kind="stable")[:, : job.top_k]
        found += [
            (user, items[code], rank + 1) for user, row in zip(some, best, strict=True) for rank, code in enumerate(row)
        ]
    return pd.DataFrame(found, columns=["USER_ID", "ITEM_ID", "RANK"])


def _interaction(config: Config, dataset: Any, users: list[str], past: dict[str, np.ndarray]) -> Interaction:
    """Ask for some users: by their id, and by the newest items of their history where the model reads sequences."""
    longest = config["MAX_ITEM_LIST_LENGTH"] or 1
    sequences = np.zeros((len(users), longest), dtype=np.int64)
    lengths = np.array([min(longest, len(past[user])) for user in users])
    for row, user in enumerate(users):
        sequences[row, : lengths[row]] = past[user][-longest:]
    codes = dataset.token2id("user_id", np.asarray(users))
    return Interaction(
        {
            "user_id": torch.as_tensor(codes),
            "item_id_list": torch.as_tensor(sequences),
            "item_length": torch.as_tensor(lengths),
        }
    )


if __name__ == "__main__":
    main()
