"""The rows of the catalogue: every recipe's use case, needs and hyperparameters, and no branches."""

from workbench.recipes.catalog_entry import Entry, Hyperparameter

RECBOLE = "recbole:"  # names after it are RecBole's own class names
RECBOLE_FACTORY = "workbench.recipes.recbole_bridge:RecBoleRecipe"

PERSONAL, POPULAR, RELATED = "USER_PERSONALIZATION", "POPULAR_ITEMS", "RELATED_ITEMS"


def percentile(default: float, meaning: str) -> Hyperparameter:
    """Describe a percentile border as Personalize does: between 0 and 1, not tuned."""
    return Hyperparameter(default, meaning, "float", 0.0, 1.0)


def learning_rate(default: float) -> Hyperparameter:
    """Describe an optimiser's step size, tuned on a logarithmic scale."""
    return Hyperparameter(default, "Step size of the optimiser.", "float", 1e-5, 0.1, tunable=True, log=True)


def epochs(default: int) -> Hyperparameter:
    """Describe the most passes over the data; the bridge stops earlier when another pass no longer helps."""
    return Hyperparameter(
        default, "Most passes over the data; training stops earlier when it no longer helps.", "int", 1, 5000
    )


EMBEDDING_SIZE = Hyperparameter(64, "Numbers per user and item.", "int", 1, 1024, tunable=True, log=True)

ROWS = (
    Entry(
        name="popularity-count",
        family="popularity",
        use_case=POPULAR,
        about="Ranks items by how many different users chose them; the same list for everyone. "
        "The baseline every other recipe has to beat.",
        hyperparameters={},
        factory="workbench.recipes.popularity:PopularityCount",
    ),
    Entry(
        name="recent-popularity",
        family="popularity",
        use_case=POPULAR,
        about="Ranks items by their events in the last days of the data; the same list for everyone. "
        "Where tastes move quickly, a baseline that many trained models do not beat.",
        hyperparameters={
            "days": Hyperparameter(
                30.0,
                "Length of the window, counted back from the newest event.",
                "float",
                0.001,
                36_500,
                (),
                True,
                True,
            ),
            "shrink": Hyperparameter(
                1.0,
                "How many events, spread as over all time, are added to the window; the default only breaks ties.",
                "float",
                0.0,
                1e6,
            ),
        },
        factory="workbench.recipes.popularity:RecentPopularity",
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
        name="user-personalization",
        family="autoregressive",
        use_case=PERSONAL,
        about="Predicts the next item from the ordered history, by ridge regression on exponentially decayed counts at "
        "several decay rates. Needs no GPU, scores a new history at once and says which past item caused a "
        "recommendation. The best default.",
        metadata_used=("EVENT_TYPE",),
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
    Entry(
        name=RECBOLE + "BPR",
        family="recbole",
        use_case=PERSONAL,
        about="RecBole's matrix factorisation with a pairwise loss: the classic trained baseline.",
        hyperparameters={"embedding_size": EMBEDDING_SIZE, "learning_rate": learning_rate(0.005), "epochs": epochs(30)},
        factory=RECBOLE_FACTORY,
        arguments={"model": "BPR"},
        free=True,
    ),
    Entry(
        name=RECBOLE + "EASE",
        family="recbole",
        use_case=PERSONAL,
        about="RecBole's EASE: a linear item-to-item model solved in closed form; strong when order does not matter.",
        hyperparameters={
            "reg_weight": Hyperparameter(250.0, "L2 regularisation.", "float", 1e-3, 1e6, tunable=True, log=True)
        },
        factory=RECBOLE_FACTORY,
        arguments={"model": "EASE"},
        free=True,
    ),
    Entry(
        name=RECBOLE + "LightGCN",
        family="recbole",
        use_case=PERSONAL,
        about="RecBole's LightGCN: user and item vectors smoothed over the graph of who chose what.",
        hyperparameters={
            "embedding_size": EMBEDDING_SIZE,
            "n_layers": Hyperparameter(2, "Steps of smoothing over the graph.", "int", 1, 6, tunable=True),
            "reg_weight": Hyperparameter(1e-5, "L2 regularisation.", "float", 0.0, 1.0),
            "learning_rate": learning_rate(0.02),
            "epochs": epochs(30),
        },
        factory=RECBOLE_FACTORY,
        arguments={"model": "LightGCN"},
        free=True,
    ),
    Entry(
        name=RECBOLE + "SASRec",
        family="recbole",
        use_case=PERSONAL,
        about="RecBole's self-attentive transformer over the ordered history. Slow on a CPU: every prefix of a history "
        "becomes a row.",
        hyperparameters={
            "hidden_size": Hyperparameter(64, "Width of the model; divisible by n_heads.", "int", 2, 512),
            "n_layers": Hyperparameter(2, "Transformer layers.", "int", 1, 6, tunable=True),
            "n_heads": Hyperparameter(2, "Attention heads.", "int", 1, 16),
            "learning_rate": learning_rate(0.001),
            "epochs": epochs(10),
        },
        factory=RECBOLE_FACTORY,
        arguments={"model": "SASRec"},
        free=True,
    ),
)
