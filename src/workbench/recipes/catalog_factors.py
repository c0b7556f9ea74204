"""Catalogue rows of the recipes with one vector per user and per item."""

from workbench.recipes.catalog_entry import PERSONAL, Entry, Hyperparameter

ROWS = (
    Entry(
        name="matrix-factorization",
        family="factors",
        use_case=PERSONAL,
        about="Alternating least squares on who chose what, whatever the order. Trains in seconds, and lists for "
        "everybody out of large catalogues are quicker than with any other recipe. New users and new events count at "
        "once. Take it for large catalogues and for tastes that do not move.",
        hyperparameters={
            "width": Hyperparameter(
                64, "Numbers in the vector of a user and of an item.", "int", 1, 2048, tunable=True
            ),
            "iterations": Hyperparameter(12, "Times that users and items are solved in turn.", "int", 1, 200),
            "alpha": Hyperparameter(
                None,
                "How many times as much a chosen item counts as one that was not chosen; None chooses it.",
                "float",
                0.1,
                1e6,
                tunable=True,
                log=True,
            ),
            "ridge": Hyperparameter(
                None,
                "Regularisation: its weight relative to that of what a row chose; None chooses it.",
                "float",
                1e-6,
                1e4,
                tunable=True,
                log=True,
            ),
            "ridge_power": Hyperparameter(
                1.0,
                "How much more frequent users and items are regularised: 0 all alike, 1 by the weight of their errors.",
                "float",
                0.0,
                1.0,
            ),
            "repeat_power": Hyperparameter(
                0.0, "A pair that comes c times counts c to this power; 0 counts it once.", "float", 0.0, 1.0
            ),
        },
        factory="workbench.recipes.matrix_factorization:MatrixFactorization",
        also_called={"hidden_dimension": "width"},
        instead={
            "bptt": "the order of events plays no part; use user-personalization for that",
            "recency_mask": "the order of events plays no part; use user-personalization for that",
            "min_user_history_length_percentile": "short histories are kept; drop them in the flow if you must",
            "max_user_history_length_percentile": "long histories are regularised more; see ridge_power",
        },
    ),
)
