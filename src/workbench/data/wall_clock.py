"""What a time says on the clock and the calendar of a place; spelled alike for training and for requests."""

from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SEASONS = ("winter", "spring", "summer", "autumn")  # northern, from December on, three months each
DAYTIMES = ("night", "morning", "afternoon", "evening")  # from midnight on, six hours each
FEATURES = ("hour", "weekday", "weekend", "day", "month", "season", "year", "daytime")


def wall_clock(timestamp: int, timezone: str = "UTC", southern: bool = False) -> dict[str, Any]:
    """Read a time off the clock and the calendar of a place.

    Args:
        timestamp: epoch seconds.
        timezone: such as "Europe/Berlin".
        southern: seasons of the southern half of the earth.

    Returns:
        HOUR, DAY, MONTH, YEAR (whole numbers), WEEKDAY, SEASON, DAYTIME (words), WEEKEND (true or false), as the step
        time_features writes them.

    Raises:
        ValueError: there is no such time zone.
    """
    local = datetime.fromtimestamp(timestamp, zone(timezone))
    return {
        "HOUR": local.hour,
        "WEEKDAY": WEEKDAYS[local.weekday()],
        "WEEKEND": local.weekday() >= 5,
        "DAY": local.day,
        "MONTH": local.month,
        "SEASON": SEASONS[(local.month + (6 if southern else 0)) % 12 // 3],
        "YEAR": local.year,
        "DAYTIME": DAYTIMES[local.hour // 6],
    }


@lru_cache(maxsize=64)
def zone(name: str) -> ZoneInfo:
    """Look a time zone up.

    Raises:
        ValueError: there is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}; use a name such as 'UTC' or 'Europe/Berlin'.") from error
