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

from workbench.recipes.recbole_bridge_features import LIST as SEVERAL
from workbench.recipes.recbole_bridge_features import NUMBER, TOKEN, Side
from workbench.recipes.recbole_bridge_rows import Rows

USER, ITEM, LIST, LENGTH, NEGATIVES = "user_id", "item_id", "item_id_list", "item_length", "neg_item_id_list"
KINDS = {TOKEN: FeatureType.TOKEN, SEVERAL: FeatureType.TOKEN_SEQ, NUMBER: FeatureType.FLOAT}
FORGOTTEN = 0.1  # share of training rows whose user is hidden, so that a model knows what to do without one


class _InMemory:
    """What both kinds of data set share: ids are codes counted from 1, because RecBole pads with 0."""

    rows: Rows

    def _load_data(self, token: str, dataset_path: str) -> None:
        self.user_feat = self.item_feat = None
        sources = ((USER, self.rows.n_users, FeatureSource.USER_ID), (ITEM, self.rows.n_items, FeatureSource.ITEM_ID))
        for field, codes, source in sources:
            self.set_field_property(field, FeatureType.TOKEN, source, 1)
            self._set_tokens(field, codes + 1)
        self.inter_feat = pd.DataFrame({USER: self.rows.users + 1, ITEM: self.rows.items + 1})
        if self.rows.features is not None:
            self.user_feat = self._attributes(self.rows.features.users, USER, "user", FeatureSource.USER)
            self.item_feat = self._attributes(self.rows.features.items, ITEM, "item", FeatureSource.ITEM)

    def _attributes(self, side: Side, id_field: str, prefix: str, source: FeatureSource) -> Interaction:
        """Declare one side's attributes; users without any event stay outside, RecBole has no id for them."""
        size = len(self.field2id_token[id_field])
        table = {id_field: torch.arange(size)}
        for field, kind, _, codes, _ in side.fields(prefix):
            self.set_field_property(field, KINDS[kind], source, side.lists.shape[2] if kind == SEVERAL else 1)
            if kind == NUMBER:
                self.field2bucketnum[field] = 2
            else:
                self._set_tokens(field, codes)
        return Interaction(table | {name: values[:size] for name, values in attribute_tensors(side, prefix).items()})

    def _set_tokens(self, field: str, codes: int) -> None:
        tokens = np.array(["[PAD]", *map(str, range(codes - 1))])
        self.field2id_token[field] = tokens
        self.field2token_id[field] = {token: number for number, token in enumerate(tokens)}

    def _data_processing(self) -> None:
        self.feat_name_list = ["inter_feat"]  # nothing to filter, map or fill: codes are complete integers

    def _part(self, chosen: np.ndarray) -> Any:
        return self.copy(self.inter_feat[chosen])

    def join(self, df: Any) -> Any:
        """Add the attributes of the rows' users and items; RecBole's own way turns every index into a Python list."""
        for table, field in ((self.user_feat, USER), (self.item_feat, ITEM)):
            if table is not None and field in df:
                for name, values in table.interaction.items():
                    df[name] = values[df[field]]
        return df


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
        columns = {
            USER: torch.from_numpy(self.rows.users[targets] + 1),
            ITEM: torch.from_numpy(self.rows.items[targets] + 1),
            LIST: torch.from_numpy(lists),
            LENGTH: torch.from_numpy(lengths),
        }
        if self.config["model"] == "DIEN":
            columns[NEGATIVES] = other_items(columns[LIST], self.rows.n_items)
        self.inter_feat = Interaction(columns)

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
    train_sampler = valid_sampler = None
    if len(rows.valid) or config["train_neg_sample_args"]["distribution"] != "none":  # samplers refuse full users
        train_sampler, valid_sampler, _ = create_samplers(config, whole, parts)
    train = get_dataloader(config, "train")(config, parts[0], train_sampler, shuffle=True)
    if whole.user_feat is not None and hasattr(train, "sampling_func"):
        train.sampling_func = _forgetful(train.sampling_func, [each for each in whole.user_feat if each != USER])
    if not len(rows.valid):
        return parts[0], train, None
    return parts[0], train, get_dataloader(config, "valid")(config, parts[1], valid_sampler, shuffle=False)


def attribute_tensors(side: Side, prefix: str) -> dict[str, torch.Tensor]:
    """Give one side's attributes by field name, as RecBole types them."""
    return {
        field: torch.from_numpy(values.astype(np.float32 if kind == NUMBER else np.int64))
        for field, kind, values, _, _ in side.fields(prefix)
    }


def other_items(lists: torch.Tensor, n_items: int) -> torch.Tensor:
    """Draw for every event of the lists an item that it is not; zeros stay zeros."""
    drawn = torch.randint(1, n_items + 1, lists.shape)
    drawn = torch.where(drawn == lists, drawn % n_items + 1, drawn)
    return torch.where(lists == 0, lists, drawn)


def _forgetful(sample: Any, attributes: list[str]) -> Any:
    """Hide the user of some training rows, in half of them the attributes too, so that new users can be scored."""

    def sampled(rows: Any, negatives: Any) -> Any:
        batch = sample(rows, negatives)
        hidden = torch.rand(len(batch)) < FORGOTTEN
        batch[USER] = batch[USER].masked_fill(hidden, 0)
        hidden &= torch.rand(len(batch)) < 0.5
        for name in attributes:
            if name in batch:
                wide = hidden.view(-1, *([1] * (batch[name].dim() - 1)))
                batch[name] = batch[name].masked_fill(wide, 0)
        return batch

    return sampled
