"""The endpoints that a task needs, their names, and the VPC's ranges."""

from __future__ import annotations

import pytest

from probe.config.settings import UsageError, parse
from probe.model import ImageHost, LogDestination, Plan, Surroundings
from probe.plan import make_plan

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:1"
TASK = Surroundings(
    metadata_answered=True,
    log_drivers_known=True,
    region="us-east-1",
    account="111122223333",
    launch_type="FARGATE",
    network_mode="awsvpc",
    image=IMAGE,
    subnet_cidr="10.0.1.0/24",
    addresses=("10.0.1.77",),
)


def planned(surroundings: Surroundings, *argv: str) -> Plan:
    return make_plan(parse(list(argv), {}), surroundings)


def changed(**values: object) -> Surroundings:
    return Surroundings(**{name: getattr(TASK, name) for name in TASK.__struct_fields__} | values)


def log_to(region: str | None, *, own: bool = True, container: str = "probe") -> LogDestination:
    return LogDestination(container=container, region=region, group=f"/{container}", stream="s", own=own)


def names(plan: Plan) -> list[str]:
    return [endpoint.name for endpoint in plan.endpoints]


def test_a_fargate_task_without_awslogs_needs_the_pulls_endpoints_only() -> None:
    plan = planned(TASK)
    assert names(plan) == ["ecr.api", "ecr.dkr", "s3"]
    assert plan.omitted == ("logs", "ecs", "ecs-agent", "ecs-telemetry")
    assert [endpoint.host for endpoint in plan.endpoints] == [
        "api.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com",
    ]


def test_without_metadata_logs_is_planned_but_not_required() -> None:
    plan = planned(Surroundings(), "--image", IMAGE)
    logs = plan.endpoint("logs")
    assert logs is not None
    assert not logs.required


def test_also_logs_makes_logs_required() -> None:
    logs = planned(TASK, "--also", "logs").endpoint("logs")
    assert logs is not None
    assert logs.required


@pytest.mark.parametrize("own", [True, False])
def test_a_container_with_awslogs_makes_logs_required_in_its_region(own: bool) -> None:
    plan = planned(changed(log_destinations=(log_to("eu-west-1", own=own),)))
    logs = plan.endpoint("logs")
    assert logs is not None
    assert (logs.required, logs.host, plan.log_group) == (True, "logs.eu-west-1.amazonaws.com", "/probe")


def test_the_probes_own_log_group_comes_first() -> None:
    plan = planned(changed(log_destinations=(log_to(None, own=False, container="router"), log_to(None))))
    assert plan.log_group == "/probe"


def test_the_other_log_groups_are_those_of_the_same_region() -> None:
    destinations = (log_to("us-east-1"), log_to("us-east-1", own=False, container="web"))
    abroad = log_to("eu-west-1", own=False, container="abroad")
    plan = planned(changed(log_destinations=(*destinations, abroad)))
    assert (plan.log_group, plan.other_log_groups, plan.other_log_regions) == ("/probe", ("/web",), ("eu-west-1",))
    assert planned(TASK).other_log_groups == ()


def test_the_agents_endpoints_use_the_tasks_region_and_the_pulls_the_images() -> None:
    plan = planned(changed(launch_type="EC2", region="eu-west-1"))
    hosts = {endpoint.name: endpoint.host for endpoint in plan.endpoints}
    assert hosts["ecs-agent"] == "ecs-a.eu-west-1.amazonaws.com"
    assert hosts["ecs-telemetry"] == "ecs-t.eu-west-1.amazonaws.com"
    assert hosts["ecr.api"] == "api.ecr.us-east-1.amazonaws.com"
    assert plan.account == "123456789012"


def test_an_ipv6_only_task_uses_dual_stack_names() -> None:
    plan = planned(changed(addresses=("2600:1f13::5",), log_destinations=(log_to("us-east-1"),)))
    hosts = {endpoint.name: endpoint.host for endpoint in plan.endpoints}
    assert hosts["ecr.api"] == "ecr.us-east-1.api.aws"
    assert hosts["logs"] == "logs.us-east-1.api.aws"
    assert hosts["ecr.dkr"] == "123456789012.dkr.ecr.us-east-1.amazonaws.com"
    assert plan.layer_host == "prod-us-east-1-starport-layer-bucket.s3.dualstack.us-east-1.amazonaws.com"


def test_known_ranges_come_from_flags_instance_metadata_and_the_subnet() -> None:
    plan = planned(changed(instance_cidrs=("10.1.0.0/16",)), "--vpc-cidr", "20.10.0.0/16")
    assert plan.vpc_cidrs == ("20.10.0.0/16", "10.1.0.0/16", "10.0.1.0/24")
    assert plan.presumed_cidrs == ()


def test_endpoint_dns_replaces_only_the_name_to_look_up() -> None:
    vpce = "vpce-0abc12345678901de-abcdefgh.api.ecr.us-east-1.vpce.amazonaws.com"
    api = planned(TASK, "--endpoint-dns", f"ecr.api={vpce}").endpoint("ecr.api")
    assert api is not None
    assert (api.host, api.lookup) == ("api.ecr.us-east-1.amazonaws.com", vpce)


def test_with_an_own_image_outside_ecr_the_network_is_measured() -> None:
    plan = planned(changed(image="public.ecr.aws/nginx/nginx:1"))
    assert (plan.reference, plan.image_host, plan.account) == (None, ImageHost.PUBLIC_ECR, "111122223333")
    assert names(plan) == ["ecr.api", "ecr.dkr", "s3"]


@pytest.mark.parametrize(
    "surroundings",
    [
        Surroundings(),
        Surroundings(metadata_answered=True),
        changed(image="nginx", region=None),
        changed(image="nginx", account=None),
    ],
)
def test_the_error_for_a_missing_image_names_the_flag(surroundings: Surroundings) -> None:
    with pytest.raises(UsageError, match=r"--image \(ECR_PROBE_IMAGE\).*amazonaws\.com"):
        planned(surroundings)


@pytest.mark.parametrize("missing", ["region", "account"])
def test_the_error_for_an_image_elsewhere_names_what_is_missing(missing: str) -> None:
    with pytest.raises(UsageError, match=f"since the {missing} is not known"):
        planned(changed(image="nginx", **{missing: None}))


def test_an_own_image_in_a_region_that_is_not_listed_yet_is_measured() -> None:
    plan = planned(changed(image="123456789012.dkr.ecr.eu-north-9.amazonaws.com/app:1"))
    assert plan.reference is not None
    assert plan.region == "eu-north-9"


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({}, "there is no ECS task metadata here (ECS_CONTAINER_METADATA_URI_V4 is not set)"),
        (
            {"ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/x"},
            "task metadata at ECS_CONTAINER_METADATA_URI_V4 could not be read",
        ),
        (
            {"ECS_CONTAINER_METADATA_URI": "http://169.254.170.2/v3/x"},
            "task metadata at ECS_CONTAINER_METADATA_URI could not be read",
        ),
    ],
)
def test_the_error_distinguishes_silent_from_missing_metadata(environ: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError) as refusal:
        make_plan(parse([], environ), Surroundings())
    assert f"is needed, since {message}: for example" in str(refusal.value)


def test_a_deadline_that_passed_is_the_reason_for_unread_metadata() -> None:
    settings = parse(["--deadline", "100ms"], {"ECS_CONTAINER_METADATA_URI_V4": "http://169.254.170.2/v4/x"})
    with pytest.raises(UsageError) as refusal:
        make_plan(settings, Surroundings(), late=True)
    assert str(refusal.value) == (
        "--deadline (ECR_PROBE_DEADLINE): 100ms passed before the task metadata answered, which contains the image; "
        "for example --deadline 30s"
    )
    without_metadata = parse(["--deadline", "100ms"], {})
    with pytest.raises(UsageError, match=r"^--image .* there is no ECS task metadata here"):
        make_plan(without_metadata, Surroundings(), late=True)


def test_the_control_is_s3_of_another_region_of_the_same_partition() -> None:
    assert planned(TASK).control_host not in (None, "s3.us-east-1.amazonaws.com")
    assert planned(changed(region="us-east-2")).control_host == "s3.us-west-1.amazonaws.com"
    china = changed(image="123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/app:1")
    assert planned(china).control_host == "s3.cn-northwest-1.amazonaws.com.cn"


# ---- the agent's endpoints -------------------------------------------------------------------------------------------

AGENT = {"ecs", "ecs-agent", "ecs-telemetry"}


@pytest.mark.parametrize(
    ("launch_type", "region", "needed"),
    [
        ("FARGATE", "us-east-1", False),
        ("FARGATE", "il-central-1", False),  # opened in August 2023
        ("FARGATE", "ca-west-1", True),  # AWS's own example of a later region
        ("FARGATE", "mx-central-1", True),
        ("EC2", "us-east-1", True),
        ("MANAGED_INSTANCES", "us-east-1", True),
        ("EXTERNAL", "us-east-1", False),
        ("EXTERNAL", "ca-west-1", False),
        (None, "ca-west-1", False),
    ],
)
def test_who_needs_the_agents_endpoints(launch_type: str | None, region: str, needed: bool) -> None:
    plan = planned(changed(launch_type=launch_type, region=region))
    assert AGENT.intersection(names(plan)) == (AGENT if needed else set())
    assert AGENT.isdisjoint(plan.omitted) is needed


@pytest.mark.parametrize(
    ("launch_type", "also", "required"),
    [("EC2", (), True), ("MANAGED_INSTANCES", (), False), ("FARGATE", ("--also", "ecs"), False)],
)
def test_which_agents_endpoints_are_required(launch_type: str, also: tuple[str, ...], required: bool) -> None:
    endpoint = planned(changed(launch_type=launch_type), *also).endpoint("ecs")
    assert endpoint is not None
    assert endpoint.required is required
    assert endpoint.call == ("ecs:DescribeClusters" if also else None)
