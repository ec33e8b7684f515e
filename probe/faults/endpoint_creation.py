"""Faults of creating a VPC endpoint, which only the error texts of EC2 show."""

from __future__ import annotations

from probe.faults import causes
from probe.faults.fault import Fault
from probe.faults.subjects import Meaning, Subject
from probe.model import Impact

NOT_IN_ZONE = Fault(
    "endpoint.not-in-zone",
    "the endpoint's service is not offered in the zone of one of its subnets",
    "Creating the endpoint failed. Tasks in that zone can use its interfaces in other zones.",
    Impact.PROOF,
    (causes.ZONE_WITHOUT_INTERFACE,),
    certain=True,
)
DOMAIN_CONFLICT = Fault(
    "dns.conflicting-domain",
    "private DNS for the endpoint was refused: the name already exists in this VPC",
    "Another endpoint of the service, or a private hosted zone with that name, is associated with the VPC.",
    Impact.PROOF,
    (causes.ZONE_CONFLICT,),
    certain=True,
)
UNKNOWN_SERVICE = Fault(
    "endpoint.unknown-service",
    "the endpoint was not created: its service name does not exist here",
    "EC2 refused to create the endpoint. Names differ between partitions and regions.",
    Impact.PROOF,
    (causes.SERVICE_NAME,),
    certain=True,
)

MEANINGS = {
    Subject.ENDPOINT_ZONE: Meaning(NOT_IN_ZONE),
    Subject.PRIVATE_DNS: Meaning(DOMAIN_CONFLICT),
    Subject.ENDPOINT_SERVICE: Meaning(UNKNOWN_SERVICE),
}
