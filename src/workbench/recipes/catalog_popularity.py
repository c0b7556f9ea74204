"""Catalogue rows of the recipes that rank the same for everyone."""

from workbench.recipes.catalog_entry import POPULAR, Entry, Hyperparameter

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
)
