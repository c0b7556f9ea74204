"""implicit's ALS on the training events, one count per pair, with the library's own ranking."""

import numpy as np
import pandas as pd
from common import read_job
from implicit.als import AlternatingLeastSquares
from scipy import sparse
from threadpoolctl import threadpool_limits


def main() -> None:
    job = read_job()
    train, _, users = job.tables()
    threadpool_limits(1, "blas")  # as the library asks for: it has threads of its own
    with job.fitting():
        rows, people = pd.factorize(train["USER_ID"])
        columns, things = pd.factorize(train["ITEM_ID"])
        shape = (len(people), len(things))
        counts = sparse.csr_matrix((np.ones(len(train), np.float32), (rows, columns)), shape=shape)
        counts.data[:] = 1.0
        model = AlternatingLeastSquares(random_state=job.seed, **job.settings)
        model.fit(counts, show_progress=False)
    with job.listing():
        codes = pd.Index(people).get_indexer(users)
        found, _ = model.recommend(codes, counts[codes], N=job.top_k, filter_already_liked_items=True)
    lists = pd.DataFrame(
        {
            "USER_ID": np.repeat(users, found.shape[1]),
            "ITEM_ID": np.asarray(things)[found.ravel()],
            "RANK": np.tile(np.arange(1, found.shape[1] + 1), len(users)),
        }
    )
    job.write(lists, "implicit", "numpy", "scipy")


if __name__ == "__main__":
    main()
