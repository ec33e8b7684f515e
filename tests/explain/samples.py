"""All texts."""

from __future__ import annotations

from tests.explain.samples_answers import REFUSALS
from tests.explain.samples_network import NETWORK

TEXTS = (*NETWORK, *REFUSALS)
