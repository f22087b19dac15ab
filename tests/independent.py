"""Examples that have nothing to do with each other, for state machines; import it, then ask for it by its name.

By itself Hypothesis follows each example with five that repeat parts of it, which helps where a fault needs the same
value twice. Of a hundred examples that leaves seventeen, too few for a machine with forty rules: of 2300 steps so
played two were to complete a task, and none to answer a question. So a change of any number in the code, which moves
the examples, decided what was noticed.
"""

from __future__ import annotations

from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS, HypothesisProvider

INDEPENDENT = "independent"
"""For `settings(backend=…)`. A failure is shrunk and told as always."""


class Independent(HypothesisProvider):
    """Draws as Hypothesis does. It is not its own backend, and that is all it takes."""


AVAILABLE_PROVIDERS[INDEPENDENT] = f"{__name__}.{Independent.__name__}"
