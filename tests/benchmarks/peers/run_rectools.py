"""RecTools' transformers: each user's last training event for validation, the best pass by recall at 10 is kept.

`model` of the settings names the class, `max_epochs` and `patience` (passes without a better recall) bound the
training, everything else goes to the class. Times are those of the log; HSTU is told the time of each user's last known
event as the time of the request, because the time of the held-out event is not known before it happens.
"""

import copy
import logging
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
import torch
from common import read_job
from pytorch_lightning import Callback, LightningModule, Trainer, seed_everything
from pytorch_lightning.callbacks import EarlyStopping
from rectools.dataset import Dataset
from rectools.models import HSTUModel, SASRecModel
from rectools.models.nn.item_net import IdEmbeddingsItemNet
from rectools.models.nn.transformers.utils import leave_one_out_mask

MODELS = {"SASRec": SASRecModel, "HSTU": HSTUModel}
CUT, MEASURE = 10, "recall@10"


class KeepBest(Callback):
    """Measure recall at 10 on the validation events, seen items left out, and keep the best weights."""

    def __init__(self, elapsed: Any):
        self.elapsed = elapsed
        self.hits: list[torch.Tensor] = []
        self.curve: list[dict[str, float]] = []
        self.best: tuple[float, dict[str, torch.Tensor]] | None = None

    def __deepcopy__(self, memo: dict) -> "KeepBest":
        return self  # RecTools copies its trainer; what is kept here has to be found again

    def on_validation_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: dict, number: int, loader: int = 0
    ) -> None:
        if "logits" in outputs:
            scores = outputs["logits"].reshape(len(batch["x"]), -1).clone()
        else:
            sessions = module.torch_model.encode_sessions(batch, module.item_embs)[:, -1, :]
            scores = module.torch_model.similarity_module(sessions, module.item_embs)
        scores.scatter_(1, batch["x"].clamp(min=0), float("-inf"))  # padding is item 0
        self.hits.append((scores.topk(CUT).indices == batch["y"][:, :1]).any(dim=1).float())

    def on_validation_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        recall = float(torch.cat(self.hits).mean())
        self.hits.clear()
        self.log(MEASURE, recall)
        if trainer.sanity_checking:
            return
        self.curve.append({"epoch": trainer.current_epoch + 1, "seconds": self.elapsed(), MEASURE: recall})
        if self.best is None or recall > self.best[0]:
            self.best = recall, copy.deepcopy(module.state_dict())


def main() -> None:
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    job = read_job()
    train, history, users = job.tables()
    given = dict(job.settings)
    model_class, epochs, patience = (given.pop(name) for name in ("model", "max_epochs", "patience"))
    seed_everything(job.seed, workers=True)
    keeper = KeepBest(job.elapsed)

    def trainer() -> Trainer:
        return Trainer(
            accelerator="cpu",
            max_epochs=epochs,
            min_epochs=0,
            max_time=timedelta(seconds=max(1.0, job.left())),
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            callbacks=[keeper, EarlyStopping(MEASURE, patience=patience, mode="max", check_on_train_epoch_end=False)],
        )

    with job.fitting():
        named = train.rename(columns={"USER_ID": "user_id", "ITEM_ID": "item_id"})
        named = named.assign(weight=1.0, datetime=pd.to_datetime(train["TIMESTAMP"], unit="s")).drop(
            columns="TIMESTAMP"
        )
        data = Dataset.construct(named)
        model = MODELS[model_class](
            item_net_block_types=(IdEmbeddingsItemNet,),
            get_val_mask_func=leave_one_out_mask,
            get_trainer_func=trainer,
            **given,
        )
        model.fit(data)
        if job.left() <= 0:
            job.stopped()
        if keeper.best:
            model.lightning_model.load_state_dict(keeper.best[1])
    with job.listing():
        context = None
        if model.require_recommend_context:
            last = history.groupby("USER_ID")["TIMESTAMP"].last().reindex(users)
            context = pd.DataFrame({"user_id": users, "datetime": pd.to_datetime(last.to_numpy(), unit="s")})
        found = model.recommend(np.asarray(users), data, job.top_k, filter_viewed=True, context=context)
    lists = found.rename(columns={"user_id": "USER_ID", "item_id": "ITEM_ID", "rank": "RANK"})
    job.write(lists, "rectools", "torch", "pytorch-lightning", "numpy", curve=keeper.curve)


if __name__ == "__main__":
    main()
