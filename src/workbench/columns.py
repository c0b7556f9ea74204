"""The one vocabulary of column names and units, spelled as Amazon Personalize spells them."""

USER_ID = "USER_ID"
ITEM_ID = "ITEM_ID"
TIMESTAMP = "TIMESTAMP"  # Unix epoch, whole seconds
EVENT_TYPE = "EVENT_TYPE"
EVENT_VALUE = "EVENT_VALUE"
IMPRESSION = "IMPRESSION"  # item ids joined with |
RECOMMENDATION_ID = "RECOMMENDATION_ID"
EVENT_ATTRIBUTION_SOURCE = "EVENT_ATTRIBUTION_SOURCE"

ACTION_ID = "ACTION_ID"
CREATION_TIMESTAMP = "CREATION_TIMESTAMP"  # Unix epoch, whole seconds
VALUE = "VALUE"
TYPE = "TYPE"
EXPIRATION_TIMESTAMP = "EXPIRATION_TIMESTAMP"  # Unix epoch, whole seconds
REPEAT_FREQUENCY = "REPEAT_FREQUENCY"  # days

RANK = "RANK"  # position in a list, counted from 1
SCORE = "SCORE"
RECIPE = "RECIPE"
METRIC = "METRIC"

ROW = "_ROW"  # a row's number in its source, counted from 1; internal, never stored in a dataset

SEPARATOR = "|"  # joins several values in one field

SECOND = 1
MINUTE = 60
HOUR = 3_600
DAY = 86_400

INTERACTIONS = "interactions"
ITEMS = "items"
USERS = "users"
ACTIONS = "actions"
ACTION_INTERACTIONS = "action_interactions"
KINDS = (INTERACTIONS, ITEMS, USERS, ACTIONS, ACTION_INTERACTIONS)
