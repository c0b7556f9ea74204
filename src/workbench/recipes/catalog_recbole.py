"""Catalogue rows of the RecBole models that have settings of their own here; any other is offered by its name."""

from workbench.recipes.catalog_entry import PERSONAL, Entry, Hyperparameter

RECBOLE = "recbole:"  # names after it are RecBole's own class names
RECBOLE_FACTORY = "workbench.recipes.recbole_bridge:RecBoleRecipe"


def learning_rate(default: float) -> Hyperparameter:
    """Describe an optimiser's step size, tuned on a logarithmic scale."""
    return Hyperparameter(default, "Step size of the optimiser.", "float", 1e-5, 0.1, tunable=True, log=True)


def epochs(default: int) -> Hyperparameter:
    """Describe the most passes over the data; the bridge stops earlier when another pass no longer helps."""
    return Hyperparameter(
        default, "Most passes over the data; training stops earlier when it no longer helps.", "int", 1, 5000
    )


def budget(default: float) -> Hyperparameter:
    """Describe the time limit of a training."""
    return Hyperparameter(
        default, "Training ends when so many minutes are over, and says so; 0 for no limit.", "float", 0.0, 10_000.0
    )


EMBEDDING_SIZE = Hyperparameter(64, "Numbers per user and item.", "int", 1, 1024, tunable=True, log=True)
MAX_HISTORY = Hyperparameter(0, "Newest events of each user that are learned from; 0 for all.", "int", 0, 1_000_000)
INSTEAD = {  # of Personalize
    "bptt": "the order of events does not count here; take recbole:SASRec or user-personalization",
    "recency_mask": "the order of events does not count here; take recbole:SASRec or user-personalization",
    "min_user_history_length_percentile": "drop short histories in the flow",
    "max_user_history_length_percentile": "use max_history for the newest events alone",
    "exploration_weight": "it is set when serving",
    "exploration_item_age_cut_off": "it is set when serving",
}

ROWS = (
    Entry(
        name=RECBOLE + "BPR",
        family="recbole",
        use_case=PERSONAL,
        about="RecBole's matrix factorisation with a pairwise loss: the classic trained baseline.",
        also_called={"hidden_dimension": "embedding_size"},
        instead=INSTEAD,
        hyperparameters={
            "embedding_size": EMBEDDING_SIZE,
            "learning_rate": learning_rate(0.005),
            "epochs": epochs(30),
            "budget_minutes": budget(0.0),
            "max_history": MAX_HISTORY,
        },
        factory=RECBOLE_FACTORY,
        arguments={"model": "BPR"},
        free=True,
    ),
    Entry(
        name=RECBOLE + "EASE",
        family="recbole",
        use_case=PERSONAL,
        about="RecBole's EASE: a linear item-to-item model solved in closed form; strong when order does not matter.",
        instead=INSTEAD | {"hidden_dimension": "items are compared without hidden factors; use reg_weight"},
        hyperparameters={
            "reg_weight": Hyperparameter(250.0, "L2 regularisation.", "float", 1e-3, 1e6, tunable=True, log=True),
            "max_history": MAX_HISTORY,
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
        also_called={"hidden_dimension": "embedding_size"},
        instead=INSTEAD,
        hyperparameters={
            "embedding_size": EMBEDDING_SIZE,
            "n_layers": Hyperparameter(2, "Steps of smoothing over the graph.", "int", 1, 6, tunable=True),
            "reg_weight": Hyperparameter(1e-5, "L2 regularisation.", "float", 0.0, 1.0),
            "learning_rate": learning_rate(0.02),
            "epochs": epochs(30),
            "budget_minutes": budget(0.0),
            "max_history": MAX_HISTORY,
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
        "becomes a row, and max_rows of them are kept.",
        also_called={"hidden_dimension": "hidden_size", "bptt": "MAX_ITEM_LIST_LENGTH"},
        instead=INSTEAD | {"recency_mask": "order is learned; use MAX_ITEM_LIST_LENGTH for how far back"},
        hyperparameters={
            "hidden_size": Hyperparameter(64, "Width of the model; divisible by n_heads.", "int", 2, 512),
            "n_layers": Hyperparameter(2, "Transformer layers.", "int", 1, 6, tunable=True),
            "n_heads": Hyperparameter(2, "Attention heads.", "int", 1, 16),
            "MAX_ITEM_LIST_LENGTH": Hyperparameter(50, "Newest events of a history that are read.", "int", 1, 1_000),
            "learning_rate": learning_rate(0.001),
            "epochs": epochs(10),
            "max_rows": Hyperparameter(10_000, "Most prefixes of histories to learn from.", "int", 1, 100_000_000),
            "budget_minutes": budget(2.0),
            "max_history": MAX_HISTORY,
        },
        factory=RECBOLE_FACTORY,
        arguments={"model": "SASRec"},
        free=True,
    ),
)
