"""Catalogue rows of the recipes for related items."""

from workbench.columns import CREATION_TIMESTAMP, ITEMS
from workbench.recipes.catalog_entry import RELATED, Entry, Hyperparameter, percentile

ROWS = (
    Entry(
        name="similar-items",
        family="neighbours",
        use_case=RELATED,
        about="Items that the same users chose and that are alike in their attributes and texts. Attributes decide for "
        "new items and fade as events come in; how much they count is learned. Items of the items table without any "
        "event have relations too, and new ones are taken in without another fit.",
        metadata_used=("items: every column",),
        instead={
            "item_id_hidden_dim": "items are compared by the users they share, without hidden factors; use neighbours "
            "for the size of the model",
            "item_metadata_hidden_dim": "attributes are compared as they are; use attribute_weight for how much they "
            "count",
        },
        hyperparameters={
            "popularity_discount_factor": Hyperparameter(
                0.5,
                "0 divides shared users by the asked item's users, so popular items lead; 1 by the related item's.",
                "float",
                0.0,
                1.0,
                tunable=True,
            ),
            "shrinkage": Hyperparameter(
                None,
                "Users that attributes count as, beside an item's own. None: chosen by held-out events.",
                "float",
                0.1,
                10_000.0,
                tunable=True,
                log=True,
            ),
            "attribute_weight": Hyperparameter(
                None,
                "Times what attributes foretell; 0 uses events alone. None: chosen by held-out events.",
                "float",
                0.0,
                100.0,
                tunable=True,
            ),
            "history_decay": Hyperparameter(
                0.7, "For a user: weight kept per step back in the history.", "float", 0.0, 1.0, tunable=True
            ),
            "neighbours": Hyperparameter(200, "Related items kept of every item.", "int", 1, 10_000),
        },
        factory="workbench.recipes.similar_items:SimilarItems",
    ),
    Entry(
        name="sims",
        family="neighbours",
        use_case=RELATED,
        about="Items that the same users chose, from co-interactions alone. For related items; for a user it adds up "
        "the neighbours of the whole history. Unknown items and users get popular items.",
        hyperparameters={
            "popularity_discount_factor": Hyperparameter(
                0.5,
                "0 ranks related items by popularity alone, 1 by correlation alone.",
                "float",
                0.0,
                1.0,
                tunable=True,
            ),
            "min_cointeraction_count": Hyperparameter(
                3, "Two items are related only when at least so many users chose both.", "int", 0, 10, tunable=True
            ),
            "min_user_history_length_percentile": percentile(0.005, "Users with shorter histories are left out."),
            "max_user_history_length_percentile": percentile(0.995, "Users with longer histories are left out."),
            "min_item_interaction_count_percentile": percentile(0.01, "Items with fewer events are left out."),
            "max_item_interaction_count_percentile": percentile(0.9, "Items with more events are left out."),
        },
        factory="workbench.recipes.neighbours:Sims",
    ),
    Entry(
        name="semantic-similarity",
        family="semantic",
        use_case=RELATED,
        about="Items whose titles and texts mean alike, by vectors made on this computer. For catalogues where "
        "most items are new or rarely chosen. Events are not needed; popularity and freshness may add to the ranking.",
        needs=(ITEMS,),
        metadata_used=("items: title and free text", CREATION_TIMESTAMP),
        instead={
            "rankingInfluence": "use popularity and freshness",
            "performIncrementalUpdate": "call update with the new items",
        },
        hyperparameters={
            "model": Hyperparameter(
                "wordllama+catalogue",
                "Where vectors come from: wordllama (word vectors inside a package), catalogue (learned from the "
                "catalogue's own texts), both, or the folder or name of a sentence-transformers model.",
                "text",
            ),
            "popularity": Hyperparameter(
                0.0, "Influence of an item's popularity, against 1 for its likeness.", "float", 0.0, 1.0, tunable=True
            ),
            "freshness": Hyperparameter(
                0.0,
                "Influence of how new an item is by CREATION_TIMESTAMP, against 1 for its likeness.",
                "float",
                0.0,
                1.0,
                tunable=True,
            ),
            "history_decay": Hyperparameter(
                0.8, "For a user: weight kept per step back in the history.", "float", 0.0, 1.0, tunable=True
            ),
            "title_column": Hyperparameter(None, "Column with names. None: TITLE, NAME, ITEM_NAME …", "text"),
            "text_columns": Hyperparameter(None, "Columns to read, joined with |. None: all free text.", "text"),
        },
        factory="workbench.recipes.semantic:SemanticSimilarity",
    ),
)
