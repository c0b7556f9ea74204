"""What RecBole switches on in the process does not stay on."""

import pandas as pd
import torch

from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData


def test_the_search_for_nan_gradients_stays_off():
    rows = [(f"u{u:02d}", f"i{(u + s) % 8}", s) for u in range(30) for s in range(6)]
    events = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])
    build("recbole:SASRec", {"epochs": 1, "hidden_size": 8}).fit(TrainingData(events), seed=0)
    assert not torch.is_anomaly_enabled()
