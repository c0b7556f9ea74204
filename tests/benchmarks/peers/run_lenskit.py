"""LensKit's scorers in its own top-n pipeline; `scorer` of the settings names one, the rest configures it."""

import pandas as pd
from common import read_job
from lenskit.als import ImplicitMFScorer
from lenskit.batch import recommend
from lenskit.data import from_interactions_df
from lenskit.knn import ItemKNNScorer
from lenskit.pipeline import topn_pipeline

SCORERS = {"ImplicitMF": ImplicitMFScorer, "ItemKNN": ItemKNNScorer}


def main() -> None:
    job = read_job()
    train, _, users = job.tables()
    given = dict(job.settings)
    scorer = SCORERS[given.pop("scorer")]
    with job.fitting():
        pairs = train[["USER_ID", "ITEM_ID"]].drop_duplicates()
        named = pairs.rename(columns={"USER_ID": "user_id", "ITEM_ID": "item_id"})
        data = from_interactions_df(named, user_col="user_id", item_col="item_id")
        pipeline = topn_pipeline(scorer(**given), n=job.top_k)
        pipeline.train(data)
    with job.listing():
        found = recommend(pipeline, users, job.top_k, n_jobs=1).to_df()
    lists = pd.DataFrame({"USER_ID": found["user_id"], "ITEM_ID": found["item_id"], "RANK": found["rank"]})
    job.write(lists, "lenskit", "numpy", "torch")


if __name__ == "__main__":
    main()
