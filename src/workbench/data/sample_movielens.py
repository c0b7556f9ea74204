"""MovieLens-100k: 100,000 timed ratings of films, read from the files inside the recbole package."""

from workbench.columns import INTERACTIONS, ITEMS, USERS
from workbench.data.sample import Sample, Wheel

_READ = "read_csv('{folder}/ml-100k.%s', delim='\t', quote='', header=false, skip=1, all_varchar=true, names=[%s])"

MOVIELENS = Sample(
    name="movielens",
    about=(
        "MovieLens-100k: 100,000 ratings of 1,682 films by 943 people, September 1997 to April 1998. "
        "Each rating becomes a watch event whose EVENT_VALUE is the rating."
    ),
    licence=(
        "GroupLens lets it be used for research and asks to be acknowledged; it may not be redistributed, so it is "
        "read from the recbole package and never stored in this repository."
    ),
    domain=None,  # VIDEO_ON_DEMAND needs a creation time, and years of release reach back to before 1970
    files=Wheel("recbole", "dataset_example/ml-100k", "pip install --no-deps recbole"),
    queries={
        INTERACTIONS: (
            "SELECT user_id, item_id, rating::DOUBLE AS rating, timestamp::BIGINT AS timestamp FROM "
            + _READ % ("inter", "'user_id', 'item_id', 'rating', 'timestamp'")
        ),
        ITEMS: "SELECT * FROM " + _READ % ("item", "'item_id', 'movie_title', 'release_year', 'class'"),
        USERS: (
            "SELECT user_id, age::BIGINT AS age, gender, occupation, zip_code FROM "
            + _READ % ("user", "'user_id', 'age', 'gender', 'occupation', 'zip_code'")
        ),
    },
    flows={
        INTERACTIONS: [
            {
                "step": "rename",
                "columns": {
                    "user_id": "USER_ID",
                    "item_id": "ITEM_ID",
                    "timestamp": "TIMESTAMP",
                },
                "why": "the names that every notebook expects",
            },
            {
                "step": "ratings_to_events",
                "column": "rating",
                "events": {"watch": 1},
                "why": "somebody who rates a film, even with a 1, has watched it; the rating stays as EVENT_VALUE",
            },
        ],
        ITEMS: [
            {
                "step": "rename",
                "columns": {"item_id": "ITEM_ID", "movie_title": "TITLE", "release_year": "YEAR", "class": "GENRES"},
                "why": "the names that every notebook expects",
            },
            {"step": "cast", "columns": {"YEAR": "integer"}, "invalid": "null", "why": "two films have no known year"},
            {"step": "multi_values", "column": "GENRES", "separator": " ", "why": "several genres are joined with |"},
        ],
        USERS: [
            {"step": "drop_columns", "columns": ["zip_code"], "why": "nearly one value per person, and personal"},
            {
                "step": "rename",
                "columns": {"user_id": "USER_ID", "age": "AGE", "gender": "GENDER", "occupation": "OCCUPATION"},
                "why": "the names that every notebook expects",
            },
        ],
    },
)
