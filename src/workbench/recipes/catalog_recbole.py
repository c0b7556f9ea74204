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


EMBEDDING_SIZE = Hyperparameter(64, "Numbers per user and item.", "int", 1, 1024, tunable=True, log=True)

ROWS = (
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
