"""All reported failures. Where the evidence leaves the cause open, the true one must be among those named."""

from __future__ import annotations

from tests.faults.reported_answers import ANSWERS, IMAGES
from tests.faults.reported_connections import CONNECTIONS
from tests.faults.reported_names import ENDPOINTS, NAMES

REPORTED = (*NAMES, *ENDPOINTS, *CONNECTIONS, *ANSWERS, *IMAGES)
