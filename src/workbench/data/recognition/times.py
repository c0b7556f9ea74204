"""A time column of a source: recognise how its times are written, turn them into epoch seconds, or say what is odd."""

from dataclasses import dataclass

from workbench.data.connection import literal, query, quoted
from workbench.data.readers.options import SourceOptions
from workbench.data.recognition.kinds import Column, Counts, without_missing
from workbench.data.recognition.time_formats import DAY_FIRST, RECOGNISED, TimeFormat, given_format
from workbench.errors import SourceError

SHOWN = 5  # offending rows that a message lists
COMPACT = r"(19|20)\d{2}[01]\d[0-3]\d"
YEAR_1980 = 315_532_800
REMEDY = (
    "Mend the source, name the format with options={'time_format': 'seconds' | 'milliseconds' | 'iso' | '%d/%m/%Y' …}, "
    "read unreadable times as missing with options={'bad_times': 'missing'} and drop those rows in the flow, "
    "or open the column as it is, to mend it in the flow, with options={'types': {'TIMESTAMP': 'text'}} (or 'integer')."
)


# What would make a format doubtful that fits.
DOUBTS = ("compact", "day first", "since 1980")


def _is_whole(name: str, counts: Counts) -> bool:
    """Whether what fits a decimal format are just the whole numbers of the same unit."""
    return name.startswith("decimal ") and counts.fits[name] == counts.fits[name.removeprefix("decimal ")]


def _most(counts: Counts, formats: dict[str, TimeFormat]) -> str:
    return max(formats, key=lambda name: counts.fits.get(name, 0))


@dataclass(frozen=True)
class TimeColumn:
    """A text column that has to become whole seconds since 1970, UTC."""

    source: str
    name: str
    value: str
    options: SourceOptions
    view: str
    source_name: str

    @property
    def _text(self) -> str:
        return without_missing(self.value, self.options)

    def _formats(self) -> dict[str, TimeFormat]:
        given = self.options.time_format
        if isinstance(given, dict):
            given = given.get(self.name, given.get(self.source))
        return {"given": given_format(given)} if given else RECOGNISED

    def filled(self) -> str:
        """SQL that is null where the value is missing."""
        return self._text

    def tests(self) -> dict[str, str]:
        """One test a format, and three that catch what must not be guessed."""
        formats = self._formats()
        tests = {name: each.fits_sql(self._text) for name, each in formats.items()}
        if "given" not in formats:
            whole = f"TRY_CAST({self._text} AS BIGINT)"
            tests["compact"] = f"regexp_full_match({self._text}, {literal(COMPACT)})"
            tests["day first"] = f"regexp_full_match({self._text}, {literal(DAY_FIRST)})"
            tests["since 1980"] = f"coalesce({whole} >= {YEAR_1980}, false)"
        return tests

    def narrowed(self, found: Counts) -> dict[str, str]:
        """Of the tests, those worth a pass over all rows: the likely format and what would make it doubtful."""
        best = _most(found, self._formats())
        doubts = {name for name in DOUBTS if found.fits.get(name)}
        return {name: test for name, test in self.tests().items() if name == best or name in doubts}

    def decide(self, counts: Counts) -> Column:
        """The one format of all values.

        Raises:
            SourceError: several formats, unreadable values, or a format that could mean two different days.
        """
        formats = self._formats()
        if not counts.filled:
            return Column(self.source, self.name, "CAST(NULL AS BIGINT)", "empty", "no time in any row")
        best = _most(counts, formats)
        if counts.fits.get(best, 0) < counts.filled:  # look at every format again, now on all rows
            counts = self._recounted(counts)
            best = _most(counts, formats)
        if counts.fits.get("compact") == counts.filled:
            self._refuse_compact()
        if counts.fits.get("day first", 0) > counts.filled / 2:
            self._refuse_day_first()
        bad = counts.filled - counts.fits[best]
        if bad and (self.options.bad_times == "error" or bad == counts.filled):
            self._refuse(formats, best, counts)
        return self._column(best, formats[best], bad, counts)

    def _recounted(self, counts: Counts) -> Counts:
        tests = self.tests()
        wanted = ", ".join(f"count({self._text}) FILTER ({test})" for test in tests.values())
        found = query(f"SELECT {wanted} FROM {quoted(self.view)}")[0]
        return Counts(counts.filled, counts.missing, dict(zip(tests, found, strict=True)))

    def _column(self, key: str, chosen: TimeFormat, bad: int, counts: Counts) -> Column:
        notes = []
        if bad:
            notes.append(f"{bad:,} unreadable times read as missing")
        if key == "seconds" and not counts.fits.get("since 1980"):
            notes.append("all before 1980: if these are steps or days, they still order the rows, but are no dates")
        zone = self.options.timezone
        sql = chosen.epoch_sql(self._text, zone)
        if bad:
            sql = f"CASE WHEN {chosen.fits_sql(self._text)} THEN {sql} END"
        return Column(self.source, self.name, sql, chosen.label.replace("{zone}", zone), "; ".join(notes))

    def _rows(self, condition: str, limit: int = SHOWN) -> list[tuple[int, str]]:
        numbered = f"SELECT row_number() OVER () AS row, {self._text} AS value FROM "
        column = f"(SELECT {quoted(self.source)} FROM {quoted(self.view)})"
        return query(
            f"SELECT row, value FROM ({numbered}{column}) WHERE value IS NOT NULL AND {condition} LIMIT {limit}"
        )

    def _refuse(self, formats: dict[str, TimeFormat], best: str, counts: Counts) -> None:
        readable = counts.fits.get(best, 0)
        odd = self._rows(f"NOT {formats[best].fits_sql('value')}" if readable else "true")
        listed = ", ".join(f"row {row}: {value[:60]!r}" for row, value in odd)
        also = [name for name in formats if name != best and counts.fits[name] and not _is_whole(name, counts)]
        also = [formats[name].label for name in also if name != f"decimal {best}"]
        what = f"{counts.filled - readable:,} of {counts.filled:,} values are no time that can be read"
        if also:
            what = f"times are written in several ways: most are {formats[best].label}, others {', '.join(also)}"
        elif readable:
            what += f" (the rest are {formats[best].label})"
        what = what.replace("{zone}", self.options.timezone)
        raise SourceError(f"{self._column_name()}: {what}. {listed}. {REMEDY}")

    def _refuse_compact(self) -> None:
        row, value = self._rows("true", 1)[0]
        raise SourceError(
            f"{self._column_name()}: {value!r} (row {row}) can be a date written YYYYMMDD or seconds since 1970. "
            "Say which: options={'time_format': '%Y%m%d'} or options={'time_format': 'seconds'}."
        )

    def _refuse_day_first(self) -> None:
        parts = f"list_transform(regexp_extract_all(value, {literal(chr(92) + 'd+')})[:2], x -> CAST(x AS INTEGER))"
        large = [self._rows(f"coalesce({parts}[{place}] > 12, false)", 1) for place in (1, 2)]
        row, value = (large[0] or large[1] or self._rows("true", 1))[0]
        mark = next(each for each in value if not each.isdigit())
        year = "%Y" if len(value.split(mark)[2].split(" ")[0]) == 4 else "%y"
        clock = " %H:%M:%S" if value.count(":") == 2 else " %H:%M" if ":" in value else ""
        day_first, month_first = (mark.join([*order, year]) + clock for order in (("%d", "%m"), ("%m", "%d")))
        hint = ""
        if large[0] and not large[1]:
            hint = f" Row {row}, {value!r}, fits only the first."
        elif large[1] and not large[0]:
            hint = f" Row {row}, {value!r}, fits only the second."
        raise SourceError(
            f"{self._column_name()}: {value!r} (row {row}) can be day/month or month/day, and that is never guessed. "
            f"Say which: options={{'time_format': {day_first!r}}} or options={{'time_format': {month_first!r}}}.{hint}"
        )

    def _column_name(self) -> str:
        named = "" if self.source == self.name else f" (mapped to {self.name})"
        return f"{self.source_name}: column {self.source!r}{named}"
