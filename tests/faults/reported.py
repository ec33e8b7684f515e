"""All reports. Where the evidence is open, the true cause has to be among those named.

Reports with the same evidence stand in one row.
"""

from __future__ import annotations

from tests.faults.reported_answers import ANSWERS, IMAGES
from tests.faults.reported_connections import CONNECTIONS
from tests.faults.reported_names import ENDPOINTS, NAMES

REPORTED = (*NAMES, *ENDPOINTS, *CONNECTIONS, *ANSWERS, *IMAGES)
