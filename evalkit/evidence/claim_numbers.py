"""The figures a claim is held to: found by whatever reasonable name they were given."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

# Canonical name -> words that mean it, the plainest first; "historical_comparison_pct" is found by its parts.
ROLES: dict[str, tuple[str, ...]] = {
    "target": ("target", "targeted", "expected", "planned", "goal", "plan", "threshold", "expectation", "contracted"),
    "comparison": ("comparison", "counterfactual", "control", "controls", "usual", "without", "historical",
                   "benchmark"),
    "before": ("before", "baseline", "pre", "start"),
    "observed": ("observed", "achieved", "actual", "treated", "treatment", "intervention", "programme", "program",
                 "result", "outcome", "after", "service", "participants"),
}  # fmt: skip
CHANGES = ("reduction", "decrease", "fall", "drop", "gain", "increase", "improvement", "rise", "reduced")
WHOLE_NAMES: dict[str, tuple[str, ...]] = {
    "ratio": ("ratio", "sroi", "sroi ratio", "benefit cost ratio", "bcr", "value ratio", "social return",
              "return ratio", "value per pound", "social value ratio"),
    "effect": ("effect", "difference", "impact", "estimate", "effect size", "estimated effect", "att", "ate"),
    "relative": ("relative effect", "relative reduction", "relative change", "relative difference", "relative gain",
                 "percent change", "change percent"),
    "saving": ("saving", "savings", "saved", "cashable saving", "cashable savings", "cashable", "gross saving",
               "gross savings", "total savings", "savings total"),
    "benefit": ("benefit", "benefits", "value", "present value", "total value", "total benefit", "social value"),
    "cost": ("cost", "costs", "investment", "invested", "spent", "spend", "total cost"),
    "part": ("part", "completed", "completers", "successes", "positive", "number achieved"),
    "whole": ("whole", "worked with", "n", "total", "engaged", "started", "referred", "enrolled", "cohort"),
    "share": ("share", "proportion", "percentage", "completion rate", "success rate"),
    "p": ("p", "p value", "pvalue"),
    "level": ("level", "sms", "sms level", "sms level max", "evidence level", "maryland", "maryland level"),
    "amount": ("amount", "paid", "owed", "payment", "payments"),
    "additional": ("additional", "additional outcomes", "additional units", "added", "extra"),
    "price_year": ("price year", "prices", "prices of", "price base", "base year"),
    "design": ("design",),
    "smallest": ("smallest worthwhile", "mcid", "smallest worthwhile effect"),
}  # fmt: skip
UNITS = ("pct", "percent", "percentage", "per100", "pp", "points", "gbp", "usd", "eur", "pounds")
KINDS_OF_SHARE = ("pct", "percent", "percentage", "proportion", "rate", "share")
LOW, HIGH = ("low", "lower", "lo", "min", "lcl", "from"), ("high", "upper", "hi", "max", "ucl", "to")
_SCALE = {"k": 1e3, "thousand": 1e3, "m": 1e6, "mn": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_NUMBER = re.compile(r"^[^\d\-\u2212+.]*([\-\u2212+]?[\d,]*\.?\d+)\s*(k|thousand|m|mn|million|bn|billion)?\b", re.I)


@dataclass(frozen=True)
class Figures:
    """Figures by the name of what they are.

    Parameters
    ----------
    known : dict of str to float
        "observed", "comparison", "target", "effect", "effect_low", "ratio", "ratio_low", "level" ...
    given_as : dict of str to str
        The names under which they came.
    percent : bool
        Whether observed, comparison and target are percentages.
    level : int or None
        Of evidence; ``level_given`` False where nothing was said of it.
    currency : str
        ISO 4217 code, where one was given.
    """

    known: dict[str, float] = field(default_factory=dict)
    given_as: dict[str, str] = field(default_factory=dict)
    percent: bool = False
    level: int | None = None
    level_given: bool = False
    currency: str = ""

    def get(self, name: str) -> float | None:
        """The number of that name, or None."""
        return self.known.get(name)

    def bounds(self, name: str) -> tuple[float | None, float | None]:
        """Low and high of that name; both None unless both are known."""
        low, high = self.known.get(f"{name}_low"), self.known.get(f"{name}_high")
        return (None, None) if low is None or high is None else (min(low, high), max(low, high))

    def change_bounds(self) -> tuple[float | None, float | None]:
        """Low and high of the effect; without them the widest that the levels' own ranges allow."""
        ends = {name: self.bounds(name) for name in ("observed", "comparison")}
        (low, high), (least, most) = ends["observed"], ends["comparison"]
        if self.bounds("effect")[0] is not None or (low is None and least is None):
            return self.bounds("effect")
        observed, comparison = self.get("observed"), self.get("comparison")
        low, high = (observed, observed) if low is None else (low, high)
        least, most = (comparison, comparison) if least is None else (least, most)
        if low is None or high is None or least is None or most is None:
            return None, None
        return low - most, high - least


def as_figure(value: object) -> float | None:
    """A finite number from a number or a text such as "£3.1m" or "27 %"; else None."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, str):
        found = _NUMBER.match(value.strip())
        if found is None:
            return None
        scale = _SCALE.get((found.group(2) or "").lower(), 1.0)
        return float(found.group(1).replace(",", "").replace("\u2212", "-")) * scale
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def read_figures(numbers: Any) -> Figures:
    """Find the figures in whatever mapping they came.

    Parameters
    ----------
    numbers : dict, Series, DataFrame with the columns item and value, or an object with such attributes
        Names are free: "achieved", "historical_comparison_pct", "effect_low", "sms_level"; a value may be a number,
        a text with a number, a pair (low, high), or a dict with value, low and high.

    Returns
    -------
    Figures
        What could be understood; the rest is left alone.
    """
    flat = _flat(_mapping(numbers))
    known: dict[str, float] = {}
    given: dict[str, str] = {}
    for name, key in _roles(flat).items():
        number = as_figure(flat[key])
        if number is not None:
            known[name], given[name] = number, key
    _loose_bounds(flat, known)
    percent = _percent(flat, known, given)
    _relative_share(flat, known, given)
    level, said = _level(flat, given)
    return Figures(known, given, percent, level, said, str(flat.get("currency") or "").strip().upper())


def tokens(key: str) -> list[str]:
    """The words of a name: "historicalComparison_pct" -> historical, comparison, pct."""
    spaced = re.sub(r"([a-z])([A-Z])", r"\1 \2", str(key))
    return [part for part in re.split(r"[^a-z0-9%]+", spaced.lower().replace("%", " pct ")) if part]


def _mapping(numbers: Any) -> dict[str, Any]:
    if numbers is None:
        return {}
    columns = getattr(numbers, "columns", None)
    if columns is not None and len(list(columns)) >= 2:
        first, second = list(columns)[:2]
        return dict(zip(map(str, numbers[first]), numbers[second], strict=True))
    if hasattr(numbers, "to_dict"):
        numbers = numbers.to_dict()
    if isinstance(numbers, Mapping):
        return {str(key): value for key, value in numbers.items()}
    return {key: value for key, value in getattr(numbers, "__dict__", {}).items() if not key.startswith("_")}


def _flat(numbers: dict[str, Any]) -> dict[str, Any]:
    """Pairs and small dicts written out as name, name_low, name_high."""
    flat: dict[str, Any] = {}
    for key, value in numbers.items():
        if isinstance(value, Mapping):
            ends = {
                f"{key}_{inner}": one for inner, one in value.items() if inner not in ("value", "estimate", "point")
            }
            point = next((value[name] for name in ("value", "estimate", "point") if name in value), None)
            flat |= {key: point, **ends}
        elif isinstance(value, list | tuple) and len(value) in (2, 3):
            point, low, high = value if len(value) == 3 else (None, *value)
            base = re.sub(r"[_ ]?(range|interval|ci)$", "", key) or key
            flat |= {f"{base}_low": low, f"{base}_high": high} | ({} if point is None else {base: point})
        elif not (value is None and key in flat):
            flat[key] = value
    return flat


def _bound(parts: list[str]) -> tuple[list[str], str]:
    """A name without the words for an end of a range, and which end it is."""
    if parts and parts[0] in LOW[:2] + HIGH[:2] and len(parts) > 1 and parts[1] not in KINDS_OF_SHARE:
        parts = [*parts[1:], parts[0]]
    if len(parts) > 1 and parts[-1] in LOW + HIGH:
        rest = [part for part in parts[:-1] if part not in ("ci", "ci95", "bound", "95", "limit")]
        return rest, "_low" if parts[-1] in LOW else "_high"
    return parts, ""


def _role(key: str) -> tuple[str, int]:
    """What a name means, and how far from its plainest form; empty where it is not understood."""
    parts, end = _bound(tokens(key))
    plain = [part for part in parts if part not in UNITS]
    whole = " ".join(plain)
    for name, meanings in WHOLE_NAMES.items():
        for wording in (whole, " ".join(parts)):
            if wording in meanings:
                return name + end, meanings.index(wording)
    if any(part in CHANGES for part in plain):
        first = "target_change" if any(part in ROLES["target"] for part in plain) else "change"
        return ("relative" if "relative" in plain else first) + end, len(plain)
    for name, meanings in ROLES.items():
        hits = [meanings.index(part) for part in plain if part in meanings]
        if hits:
            return name + end, min(hits) + 10 * (len(plain) - 1)
    return "", 0


def _roles(flat: dict[str, Any]) -> dict[str, str]:
    """Canonical name -> the key that says it most plainly."""
    best: dict[str, tuple[int, str]] = {}
    loose = []
    for key, value in flat.items():
        name, rank = _role(key)
        if as_figure(value) is None:
            continue
        if not name:
            loose.append(key)
        elif name not in best or rank < best[name][0]:
            best[name] = (rank, key)
    found = {name: key for name, (_, key) in best.items()}
    shares = [key for key in loose if any(part in KINDS_OF_SHARE for part in tokens(key))]
    if "observed" not in found and len(shares) == 1:
        found["observed"] = shares[0]
    if "comparison" not in found and "before" in found:
        found["comparison"] = found["before"]
    return found


def _loose_bounds(flat: dict[str, Any], known: dict[str, float]) -> None:
    """A bare "low" and "high" belong to the one estimate that was given."""
    owner = next((name for name in ("ratio", "effect", "relative", "saving", "share", "change") if name in known), None)
    for end, wordings in (("low", LOW), ("high", HIGH)):
        for key, value in flat.items():
            parts = [part for part in tokens(key) if part not in ("ci", "ci95", "95", "interval", "bound")]
            number = as_figure(value)
            if owner and len(parts) == 1 and parts[0] in wordings[:5] and number is not None:
                known.setdefault(f"{owner}_{end}", number)


def _percent(flat: dict[str, Any], known: dict[str, float], given: dict[str, str]) -> bool:
    """Whether the levels are percentages; shares from 0 to 1 are made so."""
    names = [name for name in ("observed", "comparison", "target", "before") if name in known]
    keys = [given[name] for name in names]
    marked = any(part in ("pct", "percent", "percentage") for key in keys for part in tokens(key))
    marked = (
        marked or any("%" in str(flat[key]) for key in keys) or str(flat.get("unit", "")).strip() in ("%", "percent")
    )
    if marked or not names:
        return marked
    values = [known[name] for name in names]
    if all(0 <= value <= 1 for value in values) and any(0 < value < 1 for value in values):
        for name in list(known):
            if name.split("_")[0] in ("observed", "comparison", "target", "before", "effect", "change"):
                known[name] *= 100
        return True
    return any(part in ("proportion", "share") for key in keys for part in tokens(key))


def _relative_share(flat: dict[str, Any], known: dict[str, float], given: dict[str, str]) -> None:
    """A relative change written as a share, 0.3, is made a percentage as levels are."""
    key = given.get("relative")
    names = [name for name in ("relative", "relative_low", "relative_high") if name in known]
    if key is None or "%" in str(flat[key]) or any(part in ("pct", "percent", "percentage") for part in tokens(key)):
        return
    if all(-1 <= known[name] <= 1 for name in names):
        known |= {name: known[name] * 100 for name in names}


def _level(flat: dict[str, Any], given: dict[str, str]) -> tuple[int | None, bool]:
    """The level of evidence: a number, a `Level`, a text with a number, or earned by a named design."""
    for key, value in flat.items():
        if _role(key)[0] != "level":
            continue
        value = getattr(value, "sms", value)
        number = as_figure(value)
        if number is not None and 1 <= number <= 5:
            return int(number), True
        if isinstance(value, str) and value.strip() and (found := re.search(r"[1-5]", value)):
            return int(found.group()), True
        return None, value is not None and bool(str(value).strip())
    return _level_of_design(flat)


def _level_of_design(flat: dict[str, Any]) -> tuple[int | None, bool]:
    from evalkit.errors import StudyError
    from evalkit.evidence.levels import level

    design = flat.get("design")
    if not isinstance(design, str) or not design.strip():
        return None, False
    try:
        return level(design).sms, True
    except StudyError:
        return None, False
