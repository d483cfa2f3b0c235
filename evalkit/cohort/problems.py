"""What is wrong with a rule, shown at the character where it is wrong."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from evalkit.errors import DataError, StudyError, several

# What somebody who comes from SQL, R or Python is likely to have written, and what to write here.
HINTS = [
    (r"\b(AND|OR|NOT|IN)\b", "Write and, or, not, in in small letters."),
    (r"<>", "Write != for not equal."),
    (r"(?<![<>=!])=(?!=)", "Write == to compare."),
    (r"&&|\|\||(?<!\w)!(?!=)", "Write and, or, not."),
    (r"\blike\b", 'Write startswith(x, "...") or "..." in x.'),
    (r"\bbetween\b", "Write a <= x <= b."),
    (r"\w-\w|\bclass\b|\bfrom\b|\bis\b", 'A column whose name is no single word is written column("its name").'),
]
# Python that is no part of the rule language.
NOT_ALLOWED = {
    ast.Lambda: "lambda",
    ast.Attribute: "a dot",
    ast.Subscript: "[...] after a name",
    ast.JoinedStr: 'f"..."',
    ast.IfExp: "if ... else",
    ast.ListComp: "for ... in",
    ast.GeneratorExp: "for ... in",
    ast.SetComp: "for ... in",
    ast.DictComp: "for ... in",
    ast.Dict: "{...}",
    ast.NamedExpr: ":=",
    ast.Starred: "*",
    ast.Tuple: "a list outside in (...)",
    ast.List: "a list outside in (...)",
    ast.Set: "a list outside in (...)",
    ast.Await: "await",
}


@dataclass(frozen=True)
class Problem:
    """One finding about one rule.

    Parameters
    ----------
    where : str
        The part of the study that holds the rule: '[[cohort.include]] 1 "aged 11 to 17"'.
    rule : str
        The rule as written.
    at : int
        The character the caret points to, from 0.
    finding : str
        What is wrong and what to write instead.
    in_data : bool
        Whether the data contradict the plan, rather than the plan being wrong.
    """

    where: str
    rule: str
    at: int
    finding: str
    in_data: bool = False

    def text(self) -> str:
        """The problem as the user reads it: place, finding, rule and caret."""
        if not self.rule.strip():
            return f"{self.where}: {self.finding}"
        return f"{self.where}: {self.finding}\n       {self.rule}\n       {' ' * self.at}^"


def one_line(rule: str) -> str:
    """Put a rule on one line, so that it needs no brackets and the caret can point into it.

    Parameters
    ----------
    rule : str
        As written in the study; may run over several lines.

    Returns
    -------
    str
        The same characters with line ends and tabs as spaces, no space around it.
    """
    return rule.replace("\n", " ").replace("\r", " ").replace("\t", " ").strip()


def character(rule: str, node: ast.AST) -> int:
    """Find where a node starts, in characters (ast counts bytes).

    Parameters
    ----------
    rule : str
        The rule on one line.
    node : ast.AST
        A node of the parsed rule.

    Returns
    -------
    int
        Position from 0.
    """
    before = rule.encode("utf-8")[: getattr(node, "col_offset", 0)]
    return len(before.decode("utf-8", errors="ignore"))


def raise_all(where: str, problems: list[Problem]) -> None:
    """Raise all problems at once, if there are any.

    Parameters
    ----------
    where : str
        The file or definition concerned.
    problems : list of Problem
        All that was found in all rules.

    Raises
    ------
    StudyError
        Any of them is a mistake of the plan.
    DataError
        All of them are contradictions in the data.
    """
    if not problems:
        return
    texts = list(dict.fromkeys(problem.text() for problem in problems))
    kind = DataError if all(problem.in_data for problem in problems) else StudyError
    raise kind(several(where, texts))
