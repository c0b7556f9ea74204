"""A column of a source that has types of its own: Parquet, a frame in memory, a database table."""

from dataclasses import dataclass

from workbench.data.readers.options import SourceOptions
from workbench.data.recognition.kinds import Column, Counts, is_id
from workbench.errors import SourceError

FLOATS = ("FLOAT", "DOUBLE", "DECIMAL")
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")

KINDS = {"integer": WHOLE, "number": (*FLOATS, *WHOLE), "boolean": ("BOOLEAN",)}


@dataclass(frozen=True)
class TypedColumn:
    """A column whose type is the source's; only ids become text, times become seconds, odd types plain ones."""

    source: str
    name: str
    value: str
    type: str
    time: bool
    wanted: str | None
    """The type that the caller asked for."""
    options: SourceOptions
    source_name: str

    @property
    def _text(self) -> bool:
        return self.wanted == "text" or is_id(self.name) or is_id(self.source)

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
        """For ids whether decimals are whole."""
        value = self.filled()
        return {"whole": f"{value} = floor({value})"} if self._text and self._float else {}

    def narrowed(self, found: Counts) -> dict[str, str]:
        """All of them: there is one at most."""
        return self.tests()

    def decide(self, counts: Counts) -> Column:
        """The source's type, changed only where the vocabulary asks for it."""
        if self.time:
            return self._as_time()
        plain = self.type.lower()
        if self.wanted in KINDS and not self.type.startswith(KINDS[self.wanted]):
            raise SourceError(
                f"{self.source_name}: column {self.source!r} is {plain} in the source and is not turned into "
                f"{self.wanted}. Leave it out of options types, and cast it in the flow."
            )
        if self.type == "BLOB":
            raise SourceError(f"{self.source_name}: column {self.source!r} holds bytes, not text or numbers.")
        if self._text:
            return self._as_text(plain, counts)
        if self.type == "VARCHAR" or self.type.startswith(("ENUM", "UUID")):
            return Column(self.source, self.name, f"nullif(CAST({self.value} AS VARCHAR), '')", "text")
        if self.wanted == "number":
            return Column(self.source, self.name, f"CAST({self.value} AS DOUBLE)", "numbers (as given)")
        if self.type in WHOLE and self.type not in ("BIGINT", "UBIGINT", "HUGEINT"):
            return Column(self.source, self.name, f"CAST({self.value} AS BIGINT)", "whole numbers")
        if self.type == "FLOAT" or self.type.startswith("DECIMAL"):
            return Column(self.source, self.name, f"CAST({self.value} AS DOUBLE)", "numbers", f"{plain} in the source")
        return Column(self.source, self.name, self.filled(), f"{plain} (the source's type)")

    def _as_text(self, plain: str, counts: Counts) -> Column:
        label = "text (as given)" if self.wanted == "text" else "id, kept as text"
        if self._float and counts.fits["whole"] == counts.filled:
            whole = f"CAST(CAST({self.filled()} AS HUGEINT) AS VARCHAR)"
            return Column(self.source, self.name, whole, label, f"{plain} written without decimals")
        note = "" if self.type == "VARCHAR" else f"{plain} turned into text"
        text = f"nullif(CAST({self.filled()} AS VARCHAR), '')"
        return Column(self.source, self.name, text, label, note)

    def _as_time(self) -> Column:
        if self.type.startswith(("TIMESTAMP", "DATE")):
            moment, label = f"CAST({self.value} AS TIMESTAMP)", "dates and times without a zone, taken as UTC"
            if self.type == "TIMESTAMP WITH TIME ZONE":
                moment, label = self.value, "dates and times with a zone"
            elif self.options.timezone != "UTC":
                zone = self.options.timezone.replace("'", "''")
                moment, label = f"timezone('{zone}', {moment})", label.replace("UTC", self.options.timezone)
            return Column(self.source, self.name, f"CAST(floor(epoch({moment})) AS BIGINT)", label)
        raise SourceError(
            f"{self.source_name}: column {self.source!r} is {self.type.lower()}, which is no time. "
            f"Map another column to {self.name}."
        )


def number_as_text(value: str, type_name: str) -> str | None:
    """SQL for the digits of a number, without decimals where they are zero; None when the type is no number."""
    if type_name in WHOLE:
        return f"CAST({value} AS VARCHAR)"
    if not type_name.startswith(FLOATS):
        return None
    whole = f"CAST(CAST({value} AS BIGINT) AS VARCHAR)"
    fits = f"abs({value}) < 9e18 AND {value} = floor({value})"
    return f"(CASE WHEN isnan({value}::DOUBLE) THEN NULL WHEN {fits} THEN {whole} ELSE CAST({value} AS VARCHAR) END)"
