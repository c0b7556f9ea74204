"""Catalogue rows of the recipes for related items."""

from workbench.recipes.catalog_entry import RELATED, Entry, Hyperparameter, percentile

ROWS = (
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
)
