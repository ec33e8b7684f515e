"""All samples of error texts."""

from __future__ import annotations

from tests.explain.samples_answers import ANSWER_SAMPLES
from tests.explain.samples_clients import CLIENT_SAMPLES
from tests.explain.samples_credentials import CREDENTIAL_SAMPLES
from tests.explain.samples_forms import FORM_SAMPLES
from tests.explain.samples_hosts import HOST_SAMPLES
from tests.explain.samples_logins import LOGIN_SAMPLES
from tests.explain.samples_network import NETWORK_SAMPLES
from tests.explain.samples_registry import REGISTRY_SAMPLES
from tests.explain.samples_runtimes import RUNTIME_SAMPLES
from tests.explain.samples_services import SERVICE_SAMPLES

SAMPLES = (
    *NETWORK_SAMPLES,
    *ANSWER_SAMPLES,
    *FORM_SAMPLES,
    *CLIENT_SAMPLES,
    *REGISTRY_SAMPLES,
    *SERVICE_SAMPLES,
    *LOGIN_SAMPLES,
    *CREDENTIAL_SAMPLES,
    *HOST_SAMPLES,
    *RUNTIME_SAMPLES,
)
