"""A column of a source that has types of its own: Parquet, a frame in memory, a database table."""

from dataclasses import dataclass

from workbench.data.readers.options import EPOCH_UNITS, SourceOptions
from workbench.data.recognition.kinds import Column, Counts, is_id
from workbench.data.recognition.time_formats import EPOCH_FORMATS
from workbench.errors import SourceError

FLOATS = ("FLOAT", "DOUBLE", "DECIMAL")
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")


@dataclass(frozen=True)
class TypedColumn:
    """A column whose type is the source's; only ids become text, times become seconds, odd types plain ones."""

    source: str
    name: str
    value: str
    type: str
    time: bool
    as_text: bool
    options: SourceOptions
    source_name: str

    @property
    def _text(self) -> bool:
        return self.as_text or is_id(self.name) or is_id(self.source)

    @property
    def _float(self) -> bool:
        return self.type.startswith(FLOATS)

    def filled(self) -> str:
        """SQL that is null where the value is missing."""
        if self.type == "VARCHAR":
            return f"nullif({self.value}, '')"
        if self.type in ("FLOAT", "DOUBLE"):
            return f"(CASE WHEN isnan({self.value}) THEN NULL ELSE {self.value} END)"
        return self.value

    def tests(self) -> dict[str, str]:
        """For times the units of numbers, for ids whether decimals are whole."""
        value = self.filled()
        if self.time and self.type.startswith((*FLOATS, *WHOLE)):
            whole = f"CAST(floor({value}) AS BIGINT)::VARCHAR"
            units = {unit: each.fits_sql(whole) for unit, each in EPOCH_FORMATS.items()}
            return units | {"whole": f"{value} = floor({value})"}
        return {"whole": f"{value} = floor({value})"} if self._text and self._float else {}

    def decide(self, counts: Counts) -> Column:
        """The source's type, changed only where the vocabulary asks for it."""
        if self.time:
            return self._as_time(counts)
        plain = self.type.lower()
        if self.type == "BLOB":
            raise SourceError(f"{self.source_name}: column {self.source!r} holds bytes, not text or numbers.")
        if self._text:
            if self._float and counts.fits.get("whole", 0) == counts.filled:
                whole = f"CAST(CAST({self.filled()} AS HUGEINT) AS VARCHAR)"
                return Column(self.source, self.name, whole, "id, kept as text", f"{plain} written without decimals")
            note = "" if self.type == "VARCHAR" else f"{plain} turned into text"
            text = f"nullif(CAST({self.filled()} AS VARCHAR), '')"
            return Column(self.source, self.name, text, "text (as given)" if self.as_text else "id, kept as text", note)
        if self.type == "VARCHAR" or self.type.startswith(("ENUM", "UUID")):
            return Column(self.source, self.name, f"nullif(CAST({self.value} AS VARCHAR), '')", "text")
        if self.type in WHOLE and self.type not in ("BIGINT", "UBIGINT", "HUGEINT"):
            return Column(self.source, self.name, f"CAST({self.value} AS BIGINT)", "whole numbers")
        if self.type == "FLOAT" or self.type.startswith("DECIMAL"):
            return Column(self.source, self.name, f"CAST({self.value} AS DOUBLE)", "numbers", f"{plain} in the source")
        return Column(self.source, self.name, self.filled(), f"{plain} (the source's type)")

    def _as_time(self, counts: Counts) -> Column:
        if self.type.startswith(("TIMESTAMP", "DATE")):
            moment, label = f"CAST({self.value} AS TIMESTAMP)", "dates and times without a zone, taken as UTC"
            if self.type == "TIMESTAMP WITH TIME ZONE":
                moment, label = self.value, "dates and times with a zone"
            elif self.options.timezone != "UTC":
                zone = self.options.timezone.replace("'", "''")
                moment, label = f"timezone('{zone}', {moment})", label.replace("UTC", self.options.timezone)
            return Column(self.source, self.name, f"CAST(floor(epoch({moment})) AS BIGINT)", label)
        if not self.type.startswith((*FLOATS, *WHOLE)):
            raise SourceError(
                f"{self.source_name}: column {self.source!r} is {self.type.lower()}, which is no time. "
                f"Map another column to {self.name}."
            )
        given = self.options.time_format
        given = given.get(self.name, given.get(self.source)) if isinstance(given, dict) else given
        units = [given] if given in EPOCH_UNITS else [u for u in EPOCH_FORMATS if counts.fits.get(u) == counts.filled]
        if not units:
            found = ", ".join(f"{fit:,} as {unit}" for unit, fit in counts.fits.items() if fit and unit != "whole")
            raise SourceError(
                f"{self.source_name}: column {self.source!r} mixes units of time: {found}. "
                "Name the unit with options={'time_format': 'seconds'}, or mend the source."
            )
        whole = f"CAST(floor({self.filled()}) AS BIGINT)"
        seconds = EPOCH_FORMATS[units[0]].epoch_sql(whole, "UTC")
        note = "fractions dropped" if counts.fits.get("whole", 0) < counts.filled else ""
        return Column(self.source, self.name, seconds, EPOCH_FORMATS[units[0]].label, note)
