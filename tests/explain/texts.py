"""All texts."""

from __future__ import annotations

from tests.explain.texts_answers import REFUSALS
from tests.explain.texts_network import NETWORK

TEXTS = (*NETWORK, *REFUSALS)
