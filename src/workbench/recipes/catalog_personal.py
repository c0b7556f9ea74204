"""Catalogue rows of the recipes that rank for one user."""

from workbench.recipes.catalog_entry import PERSONAL, Entry, Hyperparameter

EVENT_WEIGHTS = {
    "event_weights": Hyperparameter(
        {}, "EVENT_TYPE to weight; only ratios count. Events of types left out do not count.", "mapping", 0.0, 1.0
    ),
}
CLOSED = {
    "decays": Hyperparameter(
        [0.3, 0.8, 0.97],
        "Weight kept per step back in the history, one feature set per value; near 1 remembers long.",
        "list",
        0.001,
        0.9999,
    ),
    "half_life_days": Hyperparameter(
        None,
        "Days between an event and the newest one in which its weight also halves; None lets only their order count.",
        "float",
        1e-5,
        100_000,
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
    "dense_features": Hyperparameter(
        12_000,
        "Most feature columns (items times decays) solved together; rarer items are solved one by one.",
        "int",
        1,
        60_000,
    ),
}
BUDGET = {
    "budget_minutes": Hyperparameter(
        None,
        "Minutes that one fit may take; None trains no transformer beside the closed form. train fits twice.",
        "float",
        0.1,
        100_000,
    ),
}
NETWORK = {
    "width": Hyperparameter(96, "Numbers per item in the transformer.", "int", 8, 1024, tunable=True, log=True),
    "layers": Hyperparameter(2, "Transformer layers.", "int", 1, 24, tunable=True),
    "heads": Hyperparameter(2, "Attention heads; they share the width evenly.", "int", 1, 16),
    "window": Hyperparameter(100, "How many events back the transformer looks.", "int", 2, 5_000),
    "dropout": Hyperparameter(0.2, "Share of numbers left out at random in training.", "float", 0.0, 0.9, tunable=True),
    "epochs": Hyperparameter(
        None,
        "Passes over the data; None takes as many as fit into budget_minutes, at most 100; 40 without a budget.",
        "int",
        1,
        10_000,
    ),
    "learning_rate": Hyperparameter(
        0.002, "Step size of the transformer's optimiser.", "float", 1e-5, 0.1, tunable=True, log=True
    ),
    "weight_decay": Hyperparameter(
        None, "Pull of the transformer's weights to 0; None fits it to the number of steps.", "float", 0.0, 10.0
    ),
    "negatives": Hyperparameter(384, "Items that every batch tells the right ones from.", "int", 1, 100_000),
    "in_batch": Hyperparameter(
        None,
        "Share of the negatives drawn from the batch's own items, not evenly; None: 0.5 to 0.9 by catalogue size.",
        "float",
        0.0,
        1.0,
    ),
    "batch_events": Hyperparameter(
        None, "Events a training step learns from, about; None sets it by the size of the log.", "int", 16, 1_000_000
    ),
    "patience": Hyperparameter(10, "Validations without a better value before training ends.", "int", 1, 1_000),
    "attributes": Hyperparameter(True, "Whether the items and users tables are read.", "bool"),
    "leave_out": Hyperparameter(
        0.1, "Chance that an item is learned by its attributes alone in a step.", "float", 0.0, 0.9
    ),
    "device": Hyperparameter("auto", "auto, cpu, cuda or cuda:0: where the transformer is trained.", "text"),
    "compile": Hyperparameter(
        "auto",
        "Whether a training step becomes machine code first; auto: on a CPU, with budget_minutes of 10 or more.",
        "text",
        choices=("auto", "never", "always"),
    ),
}

ROWS = (
    Entry(
        name="user-personalization",
        family="personalization",
        use_case=PERSONAL,
        about="The best default. Predicts the next item from the ordered history: a ridge regression in closed form, "
        "and with budget_minutes a transformer beside it, both weighed by events held out of them. A log without order "
        "goes to the graph filter. Says what it picked and why; scores new histories and new items at once.",
        metadata_used=("EVENT_TYPE", "items", "users", "context"),
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
            "parts": Hyperparameter(
                "auto",
                "Which models are fitted; auto chooses by order, size and budget.",
                "text",
                choices=("auto", "closed-form", "transformer", "closed-form+transformer", "graph-filter"),
            ),
            **BUDGET,
            **CLOSED,
            **EVENT_WEIGHTS,
            **NETWORK,
        },
        factory="workbench.recipes.user_personalization:UserPersonalization",
    ),
    Entry(
        name="autoregressive",
        family="personalization",
        use_case=PERSONAL,
        about="The closed form of user-personalization by itself: ridge regression on exponentially decayed counts at "
        "several decay rates. Needs no GPU and says which past item caused how much of a score.",
        metadata_used=("EVENT_TYPE",),
        hyperparameters={**CLOSED, **EVENT_WEIGHTS},
        factory="workbench.recipes.autoregressive:Autoregressive",
    ),
    Entry(
        name="transformer",
        family="personalization",
        use_case=PERSONAL,
        about="The transformer of user-personalization by itself: causal self-attention with a loss at every position, "
        "item vectors from ids, categories, numbers and text. Minutes on a CPU, faster on a GPU.",
        metadata_used=("EVENT_TYPE", "items", "users", "context"),
        hyperparameters={
            **BUDGET,
            **NETWORK,
            **EVENT_WEIGHTS,
            "cold": Hyperparameter(True, "Whether items that only the items table knows are scored.", "bool"),
        },
        factory="workbench.recipes.transformer:Transformer",
    ),
    Entry(
        name="graph-filter",
        family="graph",
        use_case=PERSONAL,
        about="For choices without order: a linear item-to-item model from the spectrum of the graph of users and "
        "items. No epochs; the few settings that matter are chosen by hidden events. Scores a new history at once and "
        "says which past item caused how much of a score.",
        hyperparameters={
            "shape": Hyperparameter(
                None,
                "How eigenvalues of the graph are passed: ridge or plateau; None chooses.",
                "text",
                choices=("ridge", "plateau"),
            ),
            "spectral_ridge": Hyperparameter(
                None, "The ridge; less of it lets rarer patterns count. None chooses.", "float", 1e-3, 10.0, log=True
            ),
            "plateau": Hyperparameter(
                None, "Flatness of the plateau, 1 is linear; None chooses.", "float", 1.0, 50.0, log=True
            ),
            "low_pass": Hyperparameter(
                None, "Weight of the leading eigenvectors beside the filter; None chooses.", "float", 0.0, 5.0
            ),
            "item_exponent": Hyperparameter(
                None, "How far popular items are preferred, 0 to 1; None chooses.", "float", 0.0, 1.0
            ),
            "user_exponent": Hyperparameter(
                None, "How far users with many items count less in the graph; None chooses.", "float", 0.0, 1.0
            ),
            "rank": Hyperparameter(512, "Leading eigenvectors of a large table.", "int", 1, 4000),
            "order": Hyperparameter(8, "Products with a large table, one after the other.", "int", 1, 64),
        },
        factory="workbench.recipes.graph_filter:GraphFilter",
    ),
)
