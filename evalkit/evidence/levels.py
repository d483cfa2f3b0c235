"""The level that a study earns on three standards, from its design and from what its data showed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evalkit import words
from evalkit.evidence.comparability import comparability_shown, failures
from evalkit.evidence.findings import NOTHING, UNCLEAR, WORSE, finding_of
from evalkit.evidence.shelf import OWN_READING, find_design, standard

CAUSE_FROM = 3
NOT_CLEAR = "no clear difference was found"


@dataclass(frozen=True)
class Level:
    """What a study's evidence is worth, and what may be said on it.

    Parameters
    ----------
    sms : int or None
        Level on the Maryland scale, 1 to 5; None where it is not scoreable.
    nesta : int or None
        Nesta's standard that this study can reach, 1 to 3; 4 and 5 only with a replication that has a source.
    eif : str or None
        The EIF rating that this study can support at most: "NL2", "2", "3"; "NE" where it found no worthwhile
        effect, or harm; "4" only with a replication that has a source.
    reason : str
        Why, in one or two sentences.
    verbs : tuple of str
        The verbs a headline may use.
    may_say, may_not_say : str
        One sentence each.
    design : str
        The design by its name on the list; empty where none was named.
    finding : str
        "better", "worse", "no worthwhile difference", "no clear difference"; empty where nothing was said of it.
    limits : tuple of str
        What bounds the level, beside the reason: one sentence each.
    """

    sms: int | None
    nesta: int | None
    eif: str | None
    reason: str
    verbs: tuple[str, ...]
    may_say: str
    may_not_say: str
    design: str = ""
    finding: str = ""
    limits: tuple[str, ...] = ()


def level(design: str | None, diagnostics: Mapping[str, Any] | None = None) -> Level:
    """Rate a study on the Maryland, Nesta and EIF standards, and say what follows for words.

    It is the most that this study alone can support.

    Parameters
    ----------
    design : str or None
        A name on the list of `designs`, in upper or lower case; None: no design was named, nothing is earned.
        "published" takes the design of its source, given as ``source_design``; "assumed" is not scoreable.
    diagnostics : dict, optional
        What the data showed; other keys are left alone, so that ``estimate.diagnostics`` may be given as it is.
        A design falls one level, whatever the number of failures, where what it rests on fails:
        ``max_smd_after`` (largest standardised difference after adjustment) above 0.25; ``outside_support`` (share of
        the treated outside the comparison's range of scores) above 0.2; ``pre_test`` (p-value of equal trends before)
        below 0.05; ``attrition_gap`` (difference between the arms in the share lost) above 0.1, for trials too;
        ``pre_programme_outcome`` False; ``first_stage_f`` below 10 (instruments); ``density_test`` (p-value of no
        sorting at a cut-off) below 0.05; ``pre_fit`` (gap before, in SD of the series before) above 0.5. A trial that
        lost people unevenly, or has one cluster in an arm (``fewest_clusters``), is worth what its comparability is
        worth: 3 where balance is shown, else 2.
        The finding: ``low``, ``high``, ``better``, ``smallest_worthwhile``, or ``finding`` itself; see `finding_of`.
        ``no_interval`` True: the finding is not clear because no interval was possible, and ``limits`` says so.
        ``replication``: dict of ``independent`` (bool), ``source`` (text), ``elsewhere`` (at scale: bool or text),
        ``lasted_a_year`` (bool). ``estimator``: "assumed" makes any design not scoreable.

    Returns
    -------
    Level
        Levels, reason and wording.

    Raises
    ------
    StudyError
        The design, or the finding, is not known.

    References
    ----------
    What Works Centre for Local Economic Growth, scoring guide; Nesta, Standards of Evidence; Early Intervention
    Foundation, EIF evidence standards.

    Examples
    --------
    >>> found = level("difference-in-differences with evidence of comparability", {"pre_test": 0.01})
    >>> found.sms, found.nesta, found.eif, found.verbs[0]
    (2, 2, '2', 'was followed by')
    """
    shown = dict(diagnostics or {})
    if design is None or not design.strip():
        return _worded(None, "No design was named, so no level of evidence is given.", "", shown)
    entry = find_design(design)
    if shown.get("estimator") == "assumed" and entry.get("level") is not None:
        entry = find_design("assumed")
    if entry.get("takes_source_design"):
        return _published(entry, shown)
    earned, reason = _earned(entry, shown)
    return _worded(earned, reason, entry["name"], shown, entry["status"])


def _published(entry: dict[str, Any], shown: dict[str, Any]) -> Level:
    """A published figure: its source's design."""
    source = shown.pop("source_design", None)
    if source:
        return level(str(source), shown)
    return _worded(None, f"{_sentence(entry['why'])}, and the design of the source is not named.", entry["name"], shown)


def _earned(entry: dict[str, Any], shown: Mapping[str, Any]) -> tuple[int | None, str]:
    """The level on the Maryland scale, with the reason."""
    sms, why = entry.get("level"), _sentence(entry["why"])
    if sms is None:
        return None, f"{why}."
    failed = failures(shown, entry.get("lowered_by", ()))
    if not failed and entry.get("must_be_shown") and not comparability_shown(shown):
        failed = ["neither balance nor equal trends before were shown"]
    if not failed:
        return sms, f"{why} ({entry['name']})."
    would_be = f"{why} ({entry['name']}) would be level {sms}, but {words.listed(failed)}"
    if entry.get("falls_to") != "comparability":
        return sms - 1, f"{would_be}: level {sms - 1}."
    worth = CAUSE_FROM if comparability_shown(shown) else CAUSE_FROM - 1
    told = "those who are left are alike" if worth == CAUSE_FROM else "nothing shows that those who are left are alike"
    return worth, f"{would_be}, and {told}: level {worth}."


def _sentence(text: str) -> str:
    """With a capital."""
    return text[:1].upper() + text[1:]


def _worded(sms: int | None, reason: str, design: str, shown: Mapping[str, Any], status: str = "") -> Level:
    """The level with the words that go with it."""
    wording = standard("maryland_sms")["wording"]
    part = next((entry for entry in wording.values() if sms in entry.get("levels", ())), wording["none"])
    finding = finding_of(shown)
    nesta, eif, limits = _others(sms, finding, shown) if design else (None, None, [])
    if status == OWN_READING and sms is not None:
        limits.insert(0, f'That "{design}" stands where it stands is evalkit\'s own reading of the Maryland scale.')
    return Level(
        sms=sms,
        nesta=nesta,
        eif=eif,
        reason=reason,
        verbs=tuple(part["verbs"]),
        may_say=part["may_say"],
        may_not_say=part["may_not_say"],
        design=design,
        finding=finding,
        limits=tuple(limits),
    )


def _others(sms: int | None, finding: str, shown: Mapping[str, Any]) -> tuple[int, str, list[str]]:
    """Nesta's and EIF's ratings, and what bounds them."""
    key = "none" if sms is None else str(sms)
    nesta, eif = standard("nesta")["from_sms"][key], standard("eif")["from_sms"][key]
    nesta, eif, limits = _replicated(sms, nesta, eif, shown.get("replication"))
    by_finding = standard("eif")["by_finding"]
    if finding in (NOTHING, WORSE):
        rigorous = sms is not None and sms >= by_finding["rigorous_from_sms"]
        eif = by_finding["not_effective"] if rigorous else by_finding["unclear"]
        if not rigorous:
            limits.append('"Not effective" needs a rigorous evaluation; this one cannot say it (EIF NL2).')
    elif finding == UNCLEAR:
        eif = by_finding["unclear"]
        why = "no interval was possible, so none was found" if shown.get("no_interval") else NOT_CLEAR
        limits.append(f"EIF rates 2 or more where a programme was found to help; {why} (NL2).")
    return nesta, eif, limits


def _replicated(sms: int | None, nesta: int, eif: str, replication: Any) -> tuple[int, str, list[str]]:
    """What a replication elsewhere adds; nothing without a source, or to a study that cannot speak of cause."""
    told = dict(replication) if isinstance(replication, Mapping) else {}
    if sms is None or sms < CAUSE_FROM:
        return nesta, eif, []
    if told.get("independent") is not True:
        return nesta, eif, ["One study alone earns no more than Nesta 3 and EIF 3."]
    if not str(told.get("source") or "").strip():
        return nesta, eif, ["The replication that is named has no source, so it does not count."]
    rule = standard("nesta")["with_replication"]
    limits = [f"Counts an independent replication: {told['source']}."]
    if told.get("lasted_a_year") is True:
        eif = standard("eif")["with_replication"]["rating"]
    else:
        limits.append("EIF 4 also needs an effect that lasted a year or longer, and none is named.")
    return rule["elsewhere"] if told.get("elsewhere") else rule["independent"], eif, limits
