"""Ratings on a ladder from 1 to 10 by the worker, area by area, from the same latent scores as the questionnaires."""

from __future__ import annotations

import numpy as np

Array = np.ndarray
TOP = 10
# What the rating follows, by area: the middle step, and how much it takes from trouble and from well-being. Invented.
AREAS = {
    "home": (7.2, 0.5, 0.3),
    "school_or_work": (4.6, 0.6, 0.2),
    "friends": (5.6, 0.3, 0.5),
    "feelings": (4.4, 0.3, 0.7),
    "staying_safe": (6.8, 0.6, 0.2),
    "family": (4.8, 0.7, 0.2),
}
RATED_ON = ("baseline", "m6", "m12")
_SPREAD = 1.7  # steps per standard deviation of the latent score
_OWN, _PASSING, _VIEW = 0.8, 0.8, 0.6  # steps: of a person's area, of the day, of a worker's view of the whole

Latent = dict[tuple[str, int], tuple[Array, Array]]


def rate(latent: Latent, rng: np.random.Generator) -> dict[tuple[str, int], Array]:
    """Rate everyone on each occasion, without and with therapy by the same chance.

    Parameters
    ----------
    latent : dict
        (occasion, arm 0 or 1) to latent difficulties and latent well-being, each of shape (people,).
    rng : Generator
        Source of chance.

    Returns
    -------
    dict
        (occasion, arm) to whole steps, shape (people, areas), for those of `RATED_ON` that are in ``latent``.
    """
    middle, trouble, wellbeing = np.array(list(AREAS.values())).T
    people = len(next(iter(latent.values()))[0])
    own = _OWN * rng.standard_normal((people, len(AREAS))) + _VIEW * rng.standard_normal((people, 1))
    steps = {}
    for occasion in (one for one in RATED_ON if (one, 0) in latent):
        passing = _PASSING * rng.standard_normal((people, len(AREAS))) + _VIEW * rng.standard_normal((people, 1))
        for arm in (0, 1):
            problems, felt = latent[occasion, arm]
            moved = _SPREAD * (np.outer(felt, wellbeing) - np.outer(problems, trouble))
            steps[occasion, arm] = np.clip(np.rint(middle + moved + own + passing), 1, TOP).astype(np.int8)
    return steps
