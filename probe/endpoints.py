"""The table of AWS endpoints: their names, host names and what breaks without them.

A new endpoint is one row here, and its name in the simulated zone. Host names: ECR, ECS and CloudWatch Logs guides,
"interface VPC endpoints"; a test checks every name against botocore's endpoint rules.
"""

from __future__ import annotations

from probe.model import Endpoint, Impact, Kind, Partition
from probe.records import Record

# The dual-stack registry has a suffix of its own, which botocore's partition data lacks: AWS[ecr-dual-stack-hosts].
# Other partitions' is unknown.
DUAL_STACK_REGISTRY_SUFFIXES = {"aws": "on.aws", "aws-us-gov": "on.aws", "aws-cn": "on.amazonwebservices.com.cn"}
# Secrets Manager's own name is dual-stack in these partitions (botocore, endpoint rules of secretsmanager).
_PLAIN_SECRETS = ("aws", "aws-us-gov", "aws-cn")
# The prefix of PrivateLink's names for some services of a partition, by endpoint or "s3-interface"; all others begin
# with "com.amazonaws". AWS[privatelink-service-names]
_OF_ECR = ("ecr.api", "ecr.dkr")
_SERVICE_PREFIXES = {
    "aws-cn": ("cn.com.amazonaws", (*_OF_ECR, "sts", "s3-interface")),
    "aws-eusc": ("eu.amazonaws", _OF_ECR),
    "aws-iso": ("gov.ic.c2s", _OF_ECR),
    "aws-iso-b": ("gov.sgov.sc2s", _OF_ECR),
    "aws-iso-e": ("uk.adc-e.cloud", _OF_ECR),
    "aws-iso-f": ("gov.ic.hci.csp", _OF_ECR),
}

# Domains of AWS in which the CNAME of an AWS name may end: those of its services, and of its load balancers.
# AWS[aws-domains]
AWS_DOMAINS = (
    "amazonaws.com",
    "amazonaws.com.cn",
    "api.aws",
    "on.aws",
    "amazonwebservices.com.cn",
    "awsglobalaccelerator.com",
    "cloudfront.net",
)


class Place(Record, frozen=True):
    """The values for a row's templates. An unknown region or account is shown as a placeholder."""

    partition: Partition
    region: str
    account: str

    def fill(self, template: str) -> str:
        name = self.partition.name
        return template.format(
            region=self.region or "REGION",
            account=self.account or "ACCOUNT",
            suffix=self.partition.dns_suffix,
            dual=self.partition.dual_stack_suffix,
            dual_registry=self._dual_registry(),
            secrets=self.partition.dns_suffix if name in _PLAIN_SECRETS else self.partition.dual_stack_suffix,
        )

    def _dual_registry(self) -> str:
        """The parent of dual-stack registry names; of the classic ones where no others are known."""
        suffix = DUAL_STACK_REGISTRY_SUFFIXES.get(self.partition.name)
        region = self.region or "REGION"
        return f"dkr-ecr.{region}.{suffix}" if suffix else f"dkr.ecr.{region}.{self.partition.dns_suffix}"


class Row(Record, frozen=True):
    """One endpoint, its names as templates of `Place`.

    `mistaken` is the name that hosted zones often have by mistake. `if_called` is what breaks if a task calls an
    endpoint that most tasks do not need. `call` is the IAM action of a signed call that reads no secret and changes
    nothing (`wire.aws_calls`). `service` is the endpoint that serves this name, if it is another one.
    """

    name: str
    host: str
    dual_stack: str
    impact: Impact = Impact.NONE
    kind: Kind = Kind.INTERFACE
    mistaken: str | None = None
    of_image: bool = False  # of the image's region and account, not the task's
    if_called: Impact = Impact.PROOF
    call: str | None = None
    service: str | None = None

    def endpoint(
        self,
        place: Place,
        *,
        host: str,
        required: bool,
        impact: Impact | None = None,
        lookup: str | None = None,
        called: bool = False,
    ) -> Endpoint:
        """This endpoint at `place`, at `host`. `called`: its signed call is made."""
        return Endpoint(
            name=self.name,
            host=host,
            lookup=lookup or host,
            kind=self.kind,
            region=place.region,
            required=required,
            impact=self.impact if impact is None else impact,
            mistaken=place.fill(self.mistaken) if self.mistaken else None,
            call=self.call if called else None,
        )


TABLE = (
    Row(
        "ecr.api",
        "api.ecr.{region}.{suffix}",
        "ecr.{region}.{dual}",
        Impact.PULL,
        mistaken="ecr.api.{region}.{suffix}",
        of_image=True,
    ),
    Row(
        "ecr.dkr",
        "{account}.dkr.ecr.{region}.{suffix}",
        "{account}.{dual_registry}",
        Impact.PULL,
        mistaken="{account}.ecr.dkr.{region}.{suffix}",
        of_image=True,
    ),
    Row(
        "s3",
        "prod-{region}-starport-layer-bucket.s3.{region}.{suffix}",
        "prod-{region}-starport-layer-bucket.s3.dualstack.{region}.{suffix}",
        Impact.PULL,
        kind=Kind.GATEWAY,
        of_image=True,
    ),
    Row("logs", "logs.{region}.{suffix}", "logs.{region}.{dual}", Impact.LOGS),
    Row("ecs", "ecs.{region}.{suffix}", "ecs.{region}.{dual}", Impact.AGENT, call="ecs:DescribeClusters"),
    Row(
        "ecs-agent",
        "ecs-a.{region}.{suffix}",
        "ecs-a.{region}.{dual}",
        Impact.AGENT,
        mistaken="ecs-agent.{region}.{suffix}",
    ),
    Row(
        "ecs-telemetry",
        "ecs-t.{region}.{suffix}",
        "ecs-t.{region}.{dual}",
        Impact.AGENT,
        mistaken="ecs-telemetry.{region}.{suffix}",
    ),
    Row(
        "secretsmanager",
        "secretsmanager.{region}.{suffix}",
        "secretsmanager.{region}.{secrets}",
        if_called=Impact.START,
        call="secretsmanager:GetSecretValue",
    ),
    Row(
        "ssm",
        "ssm.{region}.{suffix}",
        "ssm.{region}.{dual}",
        if_called=Impact.START,
        call="ssm:GetParameters",
    ),
    # KMS decrypts secrets and images.
    Row("kms", "kms.{region}.{suffix}", "kms.{region}.{dual}", if_called=Impact.START, call="kms:ListAliases"),
    Row("sts", "sts.{region}.{suffix}", "sts.{region}.{dual}", call="sts:GetCallerIdentity"),
    # Old clients call this name, which ECR's private DNS does not cover: AWS[seed-clients-2019].
    Row(
        "ecr-legacy",
        "ecr.{region}.{suffix}",
        "ecr.{region}.{suffix}",
        of_image=True,
        if_called=Impact.PULL,
        service="ecr.api",
    ),
    # Clients with AWS_USE_FIPS_ENDPOINT call this name, which has an endpoint of its own: AWS[ecr-fips-endpoints].
    Row(
        "ecr-fips",
        "api.ecr-fips.{region}.{suffix}",
        "api.ecr-fips.{region}.{suffix}",
        of_image=True,
        if_called=Impact.PULL,
        service="ecr-fips.api",
    ),
)
ROWS = {row.name: row for row in TABLE}
AGENT_ENDPOINTS = tuple(row.name for row in TABLE if row.impact is Impact.AGENT)
CORE_ENDPOINTS = tuple(row.name for row in TABLE if row.impact is not Impact.NONE)
EXTRA_ENDPOINTS = tuple(row.name for row in TABLE if row.impact is Impact.NONE)


def service_name(endpoint: str, partition: str, region: str, *, interface: bool = True) -> str:
    """The name under which PrivateLink offers an endpoint. S3 has a gateway, and an interface with another name."""
    row = ROWS.get(endpoint)
    service = row.service if row and row.service else endpoint
    prefix, services = _SERVICE_PREFIXES.get(partition, ("", ()))
    own = (f"{service}-interface" if service == "s3" and interface else service) in services
    return f"{prefix if own else 'com.amazonaws'}.{region or 'REGION'}.{service}"
