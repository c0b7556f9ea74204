"""Catalogue rows of the recipes that rank for one user."""

from workbench.recipes.catalog_entry import PERSONAL, Entry, Hyperparameter

ROWS = (
    Entry(
        name="user-personalization",
        family="autoregressive",
        use_case=PERSONAL,
        about="Predicts the next item from the ordered history, by ridge regression on exponentially decayed counts at "
        "several decay rates. Needs no GPU, scores a new history at once and says which past item caused a "
        "recommendation. The best default.",
        metadata_used=("EVENT_TYPE",),
        instead={
            "hidden_dimension": "use width",
            "bptt": "use lags (closed form) and window (transformer)",
            "recency_mask": "recency is learned; use decays to change it",
            "apply_recency_bias": "recency is learned; use decays to change it",
            "min_user_history_length_percentile": "short histories are kept; drop them in the flow if you must",
            "max_user_history_length_percentile": "use lags; a long history counts by its newest events",
            "exploration_weight": "it is set when serving",
            "exploration_item_age_cut_off": "it is set when serving",
        },
        hyperparameters={
            "decays": Hyperparameter(
                [0.3, 0.8, 0.97],
                "Weight kept per step back in the history, one feature set per value; near 1 remembers long.",
                "list",
                0.001,
                0.9999,
            ),
            "lags": Hyperparameter(100, "How many events back a prediction looks.", "int", 1, 2000, tunable=True),
            "ridge": Hyperparameter(
                None,
                "Regularisation; None chooses it by each user's newest event in the training data.",
                "float",
                1e-3,
                1e7,
                tunable=True,
                log=True,
            ),
            "popularity_discount": Hyperparameter(
                None,
                "Divides scores by the item's popularity to this power; None chooses it together with ridge.",
                "float",
                0.0,
                1.0,
                tunable=True,
            ),
            "event_weights": Hyperparameter(
                {}, "EVENT_TYPE to weight; only ratios count. Types left out weigh 1.", "mapping", 0.0, 1.0
            ),
            "dense_features": Hyperparameter(
                12_000,
                "Most feature columns (items times decays) solved together; rarer items are solved one by one.",
                "int",
                1,
                60_000,
            ),
        },
        factory="workbench.recipes.autoregressive:UserPersonalization",
    ),
)
