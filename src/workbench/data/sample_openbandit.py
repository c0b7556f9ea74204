"""Open Bandit, small: what two live policies showed in a fashion shop, where, and what was clicked."""

from workbench.columns import INTERACTIONS, ITEMS, USERS
from workbench.data.sample import Sample, Wheel

_CAMPAIGNS = ("all", "men", "women")
_FEATURES = ", ".join(f"user_feature_{number}" for number in range(4))
# Every field is read as text and cast by name: the files are a hundred columns wide, and guessing types takes seconds.
_CSV = "read_csv('{{folder}}/{place}.csv', all_varchar=true, delim=',', quote='\"', escape='\"', header=true)"
_LOG = " UNION ALL ".join(
    f"SELECT '{policy}' AS policy, '{campaign}' AS campaign, timestamp::TIMESTAMP AS timestamp, item_id, "
    f"position::BIGINT AS position, click::BIGINT AS click, propensity_score::DOUBLE AS propensity_score, {_FEATURES} "
    f"FROM {_CSV.format(place=f'{policy}/{campaign}/{campaign}')}"
    for policy in ("random", "bts")
    for campaign in _CAMPAIGNS
)
_CONTEXT = " UNION ALL ".join(
    f"SELECT '{campaign}' AS campaign, item_id, item_feature_0::DOUBLE AS item_feature_0, item_feature_1, "
    f"item_feature_2, item_feature_3 FROM {_CSV.format(place=f'random/{campaign}/item_context')}"
    for campaign in _CAMPAIGNS
)
_SHORT = ", ".join(f"left(user_feature_{number}, 8)" for number in range(4))

OPENBANDIT = Sample(
    name="openbandit",
    about=(
        "Open Bandit, small: 60,000 impressions of fashion items in one week of November 2019, shown by two live "
        "policies (random and Bernoulli Thompson sampling) in three campaigns, with position, click and propensity."
    ),
    licence="The package that carries it says Apache-2.0; the page of the full data says CC BY 4.0.",
    domain=None,
    files=Wheel("obp", "dataset/obd", "pip install --no-deps obp==0.4.1"),
    queries={INTERACTIONS: _LOG, ITEMS: _CONTEXT, USERS: f"SELECT DISTINCT {_FEATURES} FROM ({_LOG}) ORDER BY ALL"},
    flows={
        INTERACTIONS: [
            {
                "step": "sql",
                "query": (
                    f"SELECT _ROW, concat_ws('-', {_SHORT}) AS USER_ID, campaign || '-' || item_id AS ITEM_ID, "
                    "floor(epoch(timestamp))::BIGINT AS TIMESTAMP, if(click = 1, 'click', 'impression') AS EVENT_TYPE, "
                    "click::DOUBLE AS EVENT_VALUE, campaign || '-' || item_id AS IMPRESSION, "
                    "policy AS EVENT_ATTRIBUTION_SOURCE, campaign AS CAMPAIGN, position AS POSITION, "
                    "propensity_score AS PROPENSITY FROM this"
                ),
                "why": (
                    "one row is one item shown in one place: an impression, or a click where it was clicked. People "
                    "are anonymous, so a user is everybody with the same four features; items are numbered per campaign"
                ),
            },
        ],
        ITEMS: [
            {
                "step": "sql",
                "query": (
                    "SELECT _ROW, campaign || '-' || item_id AS ITEM_ID, campaign AS CAMPAIGN, "
                    "item_feature_0 AS FEATURE_0, left(item_feature_1, 8) AS FEATURE_1, "
                    "left(item_feature_2, 8) AS FEATURE_2, left(item_feature_3, 8) AS FEATURE_3 FROM this"
                ),
                "why": "the hashed features, cut to what tells them apart",
            },
        ],
        USERS: [
            {
                "step": "sql",
                "query": (
                    f"SELECT _ROW, concat_ws('-', {_SHORT}) AS USER_ID, "
                    + ", ".join(f"left(user_feature_{number}, 8) AS FEATURE_{number}" for number in range(4))
                    + " FROM this"
                ),
                "why": "one row for each combination of features that occurs",
            },
        ],
    },
)
