"""Whether the parts of a study agree: ids, tables, files and names that point at each other.

Each check is a function from (study, names) to problems, on the list of its file; adding one is adding a line there.
"""

from __future__ import annotations

from evalkit.study import checks_answers, checks_compared, checks_contract, checks_looked, checks_persons, checks_worth
from evalkit.study.checks_answers import ESTIMATORS
from evalkit.study.model import Study
from evalkit.study.names import Names

__all__ = ["ESTIMATORS", "disagreements"]


def disagreements(study: Study, names: Names, with_files: bool = True) -> list[str]:
    """All problems between the parts of a study.

    Parameters
    ----------
    study : Study
        Each part valid in itself.
    names : Names
        What the file names.
    with_files : bool
        Whether the files it names must be there.

    Returns
    -------
    list of str
        One finished sentence or more each: place, finding, remedy.
    """
    checks = [*checks_persons.CHECKS, *checks_looked.CHECKS, *checks_answers.CHECKS, *checks_compared.CHECKS]
    checks += [*checks_contract.CHECKS, *checks_worth.CHECKS]
    if with_files:
        checks[:0] = [checks_persons.files_there, checks_persons.id_of_its_own]
    return list(dict.fromkeys(problem for check in checks for problem in check(study, names)))
