"""How often items were chosen in each of the last windows of time: what a trend looks like."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, TIMESTAMP

STARTS_AFTER, ENDS, EVENTS = "STARTS_AFTER", "ENDS", "EVENTS"


def window_counts(
    events: pd.DataFrame, item_ids: Sequence[str], *, frequency: float, window: float, windows: int
) -> pd.DataFrame:
    """Count the events of some items in windows that go back from the newest event.

    Args:
        events: ITEM_ID, TIMESTAMP; the newest event of all items sets the clock.
        item_ids: whose events; each once.
        frequency: seconds from the end of one window to the end of the next.
        window: seconds that each window is long; its older border lies outside.
        windows: how many at most; windows that begin before the first event are left out, but for the newest.

    Returns:
        STARTS_AFTER, ENDS (epoch seconds), ITEM_ID, EVENTS; oldest window first, items in the order given.
    """
    times = events[TIMESTAMP].to_numpy(dtype=np.int64)
    newest, oldest = (int(times.max()), int(times.min())) if len(times) else (0, 0)
    codes = pd.Index(item_ids).get_indexer(events[ITEM_ID])
    wanted = codes >= 0
    times, codes = times[wanted], codes[wanted]
    rows = []
    for number in range(windows - 1, -1, -1):
        end = newest - number * frequency
        if number and end - window < oldest - 1:
            continue
        counts = np.bincount(codes[(times > end - window) & (times <= end)], minlength=len(item_ids))
        rows += [(int(end - window), int(end), item, int(n)) for item, n in zip(item_ids, counts, strict=True)]
    return pd.DataFrame(rows, columns=[STARTS_AFTER, ENDS, ITEM_ID, EVENTS])
