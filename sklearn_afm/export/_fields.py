"""Fields of a fitted FieldEncoder, as a scorer has them."""

from .._fields.columns import BOOL, CATEGORY, DATE, NUMBER
from .._fields.levels import ListField as EncodedLists
from .._fields.numbers import NumberField as EncodedNumbers
from ..scorer._fields import TEXT, DateField, Field, LevelField, ListField, NumberField

# What JSON holds, and gives back as it was.
_STORED = (str, bool, int, float)


def described_fields(encoder) -> list[Field]:
    """A field for each column of the frame.

    Raises
    ------
    ValueError
        If a column has levels that are neither text nor numbers.
    """
    encoded = iter(zip(encoder._encoders, encoder.fields_))
    fields: list[Field] = []
    for position, (name, kind) in enumerate(zip(encoder._names, encoder._kinds)):
        if kind == DATE:
            parts = {"month": next(encoded), "weekday": next(encoded), "hour": None}
            if encoder._hours[position]:
                parts["hour"] = next(encoded)
            parts["day"] = next(encoded)
            of_parts = {
                part: None if found is None else _field(*found, found[0].name, _holds(part))
                for part, found in parts.items()
            }
            fields.append(DateField(name, 0, **of_parts))
        else:
            delimiter = (encoder.delimiters or {}).get(name)
            fields.append(_field(*next(encoded), name, kind, delimiter))
    return fields


def _holds(part: str) -> str:
    return CATEGORY if part == "weekday" else NUMBER


def _field(encoded, place, name: str, kind: str | None, delimiter: str | None = None) -> Field:
    if isinstance(encoded, EncodedNumbers):
        is_standard = encoded.method == "standard"
        return NumberField(
            name,
            place.start,
            encoded.method,
            [] if is_standard else encoded.edges.tolist(),
            encoded.n_levels,
            encoded.n_levels if encoded.has_missing else -1,
            encoded.mean if is_standard else 0.0,
            encoded.std if is_standard else 1.0,
        )
    kept = [v for n, v in enumerate(encoded.levels) if n not in (encoded.rare, encoded.missing)]
    levels = {
        "levels": _plain(name, kept),
        "rare_levels": _plain(name, encoded.rare_levels),
        "rare": encoded.rare,
        "missing": encoded.missing,
        "unknown": encoded.unknown,
    }
    if isinstance(encoded, EncodedLists):
        shared = encoded.shared_weight
        return ListField(name, place.start, **levels, delimiter=delimiter, shared_weight=shared)
    return LevelField(name, place.start, _kind(kind, kept + encoded.rare_levels), **levels)


def _kind(kind: str | None, levels: list) -> str:
    if kind in (BOOL, NUMBER):
        return kind
    if kind is None:
        return ""
    return TEXT if all(isinstance(level, str) for level in levels) else CATEGORY


def _plain(name: str, levels: list) -> list:
    """Levels as JSON holds them."""
    levels = [level.item() if hasattr(level, "item") else level for level in levels]
    for level in levels:
        if not isinstance(level, _STORED):
            raise ValueError(
                f"Column {name!r} has levels that a file cannot hold, such as {level!r} "
                f"({type(level).__name__}). Convert the column to text before fit."
            )
    return [str(level) if isinstance(level, str) else level for level in levels]
