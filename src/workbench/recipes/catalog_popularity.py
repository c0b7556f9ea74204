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
        factory="workbench.recipes.recent_popularity:RecentPopularity",
    ),
    Entry(
        name="trending-now",
        family="popularity",
        use_case=POPULAR,
        about="Ranks items by how surely their events grow from one window of time to the next; three clicks are not a "
        "trend. The same list for everyone. For news, feeds and seasons, refreshed as events come in.",
        hyperparameters={
            "frequency": Hyperparameter(
                "3h",
                "How far the two compared windows lie apart: a number and s, min, h, d or w.",
                "text",
            ),
            "window": Hyperparameter(
                None, "How long each window is, written alike; None is as long as frequency.", "text"
            ),
            "shrink": Hyperparameter(
                1.0, "Events added to both windows; more keeps small counts down.", "float", 0.01, 1e6, (), True, True
            ),
            "caution": Hyperparameter(
                1.64, "Standard deviations taken off the growth; 0 trusts every count.", "float", 0.0, 10.0, (), True
            ),
        },
        factory="workbench.recipes.trending:TrendingNow",
        also_called={"Trend discovery frequency": "frequency", "trend_discovery_frequency": "frequency"},
    ),
)
