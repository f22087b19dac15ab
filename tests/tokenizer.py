"""What a text really costs a model: tokens of o200k, counted offline."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any


@cache
def _encoding() -> Any:
    with warnings.catch_warnings():  # the package opens its data in a way that Python has deprecated
        warnings.simplefilter("ignore", DeprecationWarning)
        from bpe_openai import get_encoding

        return get_encoding("o200k_base")


def count(text: str) -> int:
    """The number of tokens."""
    return len(_encoding().encode(text))
