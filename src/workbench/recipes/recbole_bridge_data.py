"""Our tables as RecBole's data sets, in memory: no atomic files, no float32 time, no text ids.

Import this module only inside `recbole_bridge_repairs.tamed`: it imports RecBole.
"""

from typing import Any

import numpy as np
import pandas as pd
import torch
from recbole.data.dataset import Dataset, SequentialDataset
from recbole.data.interaction import Interaction
from recbole.data.utils import create_samplers, get_dataloader
from recbole.utils.enum_type import FeatureSource, FeatureType

from workbench.recipes.recbole_bridge_rows import Rows

USER, ITEM, LIST, LENGTH = "user_id", "item_id", "item_id_list", "item_length"


class _InMemory:
    """What both kinds of data set share: ids are codes counted from 1, because RecBole pads with 0."""

    rows: Rows

    def _load_data(self, token: str, dataset_path: str) -> None:
        self.user_feat = self.item_feat = None
        for field, codes in ((USER, self.rows.n_users), (ITEM, self.rows.n_items)):
            self.set_field_property(field, FeatureType.TOKEN, FeatureSource.INTERACTION, 1)
            tokens = np.array(["[PAD]", *map(str, range(codes))])
            self.field2id_token[field] = tokens
            self.field2token_id[field] = {token: number for number, token in enumerate(tokens)}
        self.inter_feat = pd.DataFrame({USER: self.rows.users + 1, ITEM: self.rows.items + 1})

    def _data_processing(self) -> None:
        self.feat_name_list = ["inter_feat"]  # nothing to filter, map or fill: codes are complete integers

    def _part(self, chosen: np.ndarray) -> Any:
        return self.copy(self.inter_feat[chosen])


class TableDataset(_InMemory, Dataset):
    """Events in time order, the validation events apart."""

    def __init__(self, config: Any, rows: Rows):
        self.rows = rows
        super().__init__(config)

    def build(self) -> list[Any]:
        """Split into training, validation and an empty test part."""
        self._change_feat_format()
        return [self._part(self.rows.train), self._part(self.rows.valid), self._part(np.array([], dtype=np.int64))]


class TableSequences(_InMemory, SequentialDataset):
    """One row per chosen event, with the events before it, cut to the longest list the model takes."""

    def __init__(self, config: Any, rows: Rows):
        self.rows = rows
        super().__init__(config)

    def _change_feat_format(self) -> None:
        """Build only the chosen rows: RecBole would build one for every event, in a Python loop."""
        self.item_id_list_field = LIST
        self.set_field_property(LIST, FeatureType.TOKEN_SEQ, FeatureSource.INTERACTION, self.max_item_list_len)
        self.set_field_property(LENGTH, FeatureType.TOKEN, FeatureSource.INTERACTION, 1)
        targets = np.concatenate([self.rows.train, self.rows.valid])
        lists, lengths = self.rows.prefixes(targets, self.max_item_list_len)
        self.inter_feat = Interaction(
            {
                USER: torch.from_numpy(self.rows.users[targets] + 1),
                ITEM: torch.from_numpy(self.rows.items[targets] + 1),
                LIST: torch.from_numpy(lists),
                LENGTH: torch.from_numpy(lengths),
            }
        )

    def build(self) -> list[Any]:
        """Split into training, validation and an empty test part."""
        self._change_feat_format()
        border, end = len(self.rows.train), len(self.rows.train) + len(self.rows.valid)
        return [
            self._part(np.arange(border)),
            self._part(np.arange(border, end)),
            self._part(np.array([], dtype=np.int64)),
        ]


def make_loaders(config: Any, rows: Rows, sequential: bool) -> tuple[Any, Any, Any]:
    """Build the data set of a model and its loaders for training and validation.

    Returns:
        The training data set (what the model is built from), its loader, and the validation loader or None.
    """
    whole = (TableSequences if sequential else TableDataset)(config, rows)
    parts = whole.build()
    train_sampler, valid_sampler, _ = create_samplers(config, whole, parts)
    train = get_dataloader(config, "train")(config, parts[0], train_sampler, shuffle=True)
    if not len(rows.valid):
        return parts[0], train, None
    return parts[0], train, get_dataloader(config, "valid")(config, parts[1], valid_sampler, shuffle=False)
