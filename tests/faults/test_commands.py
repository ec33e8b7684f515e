"""What fixes and confirmations name: the role, the policy, the key, the address, the registry and the service."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from probe.faults import WORDINGS
from probe.faults.causes import CAUSES
from probe.model import Advice, Cause, DenialReason, Failure, Identity, Policy
from probe.report.finding_page import causes_of
from tests.explain.sample import ReportedText
from tests.faults.expected_answers import denied, run_with
from tests.faults.expected_network import hosts
from tests.faults.fake_hosts import OWN_ROLE, PULL_ROLE, Host, Reply, public
from tests.faults.fake_run import FakeRun

SENTENCE = "api error AccessDeniedException: User: arn:aws:sts::210987654321:assumed-role/shopExecution/7a7a7a is not "
PARAMETER = "arn:aws:ssm:eu-north-1:210987654321:parameter/shop/db"
SECRET = "arn:aws:secretsmanager:eu-north-1:210987654321:secret:shop/db-AbCdEf"
KEY = "arn:aws:kms:eu-north-1:210987654321:key/0a1b2c3d-0000-1111-2222-333344445555"
BY_IDENTITY = "because no identity-based policy allows it"
SCP = "arn:aws:organizations::111122223333:policy/o-abc123/service_control_policy/p-xyz789"


def cause_of(run: FakeRun, code: str) -> Cause:
    return next(cause for finding in run.findings() for cause in finding.causes if cause.code == code)


def text_about(action: str, resource: str, ending: str = BY_IDENTITY, user: str = SENTENCE) -> FakeRun:
    return ReportedText(text=f"{user}authorized to perform: {action} on resource: {resource} {ending}")


def commands_of(run: FakeRun) -> list[str]:
    """The commands of all causes."""
    advices = [
        advice for finding in run.findings() for cause in finding.causes for advice in (cause.fix, cause.confirm)
    ]
    return [command for advice in advices for command in advice.commands]


# ---- who is allowed what --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("secretsmanager:GetSecretValue", SECRET),
        ("ssm:GetParameters", PARAMETER),
        ("kms:Decrypt", KEY),
        ("logs:CreateLogGroup", "arn:aws:logs:eu-north-1:210987654321:log-group:/ecs/shop"),
        ("ecr:BatchImportUpstreamImage", "arn:aws:ecr:eu-north-1:210987654321:repository/hub/library/nginx"),
    ],
)
def test_an_action_outside_the_managed_policy_is_allowed_by_itself(action: str, resource: str) -> None:
    (command,) = cause_of(text_about(action, resource), "iam.execution-role").fix.commands
    assert command.startswith("aws iam put-role-policy --role-name shopExecution --policy-name NEW_POLICY_NAME ")
    assert f'"Action":["{action}"],"Resource":"{resource}"' in command


@pytest.mark.parametrize("action", ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "logs:PutLogEvents"])
def test_the_managed_policy_is_attached_where_it_allows_the_action(action: str) -> None:
    (command,) = cause_of(text_about(action, "*"), "iam.execution-role").fix.commands
    policy = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
    assert command.endswith(f"--role-name shopExecution --policy-arn {policy}")


def test_the_agents_role_gets_the_policy_of_container_instances() -> None:
    cause = cause_of(text_about("ecs:StartTelemetrySession", "*"), "iam.execution-role")
    assert cause.fix.commands[0].endswith("service-role/AmazonEC2ContainerServiceforEC2Role")
    assert "--resource-arns" not in cause.confirm.commands[0]


def test_a_user_is_not_taken_for_a_role() -> None:
    user = "User: arn:aws:iam::210987654321:user/ci/deploy is not "
    cause = cause_of(text_about("ecr:BatchGetImage", "*", user=user), "iam.execution-role")
    assert cause.fix.commands[0].startswith("aws iam put-user-policy --user-name deploy ")
    assert "--policy-source-arn arn:aws:iam::210987654321:user/ci/deploy " in cause.confirm.commands[0]


@pytest.mark.parametrize(
    ("policy", "role"),
    [
        (Policy(), "EXECUTION_ROLE"),
        (Policy(pull_role=PULL_ROLE), "ecsExecution"),
        (Policy(pull_role=OWN_ROLE), "probe-task"),
    ],
)
def test_a_check_does_not_widen_the_probes_role(policy: Policy, role: str) -> None:
    cause = cause_of(run_with(policy, manifest=denied(DenialReason.IDENTITY)), "iam.execution-role")
    assert f"--role-name {role} " in cause.fix.commands[0]
    assert f"the role {role}" in cause.fix.text


def test_the_path_of_a_role_is_kept() -> None:
    run = run_with(Policy(pull_role=PULL_ROLE), manifest=denied(DenialReason.IDENTITY))
    assert f"--policy-source-arn {PULL_ROLE} " in cause_of(run, "iam.execution-role").confirm.commands[0]
    held = "arn:aws:iam::123456789012:role/service-role/prod/probe-task"
    run = FakeRun(
        replies={"token": denied()}, policy=Policy(pull_role=OWN_ROLE), identity=Identity(source="task", arn=held)
    )
    assert f"--policy-source-arn {OWN_ROLE} " in cause_of(run, "iam.execution-role").confirm.commands[0]


def test_a_path_that_a_shell_would_read_is_left_out() -> None:
    user = "User: arn:aws:iam::210987654321:role/$(reboot)/shop is not "
    assert "reboot" not in " ".join(commands_of(text_about("ecr:BatchGetImage", "*", user=user)))


def test_a_resource_that_a_shell_would_read_is_left_out() -> None:
    run = text_about("ssm:GetParameters", "arn:aws:ssm:eu-north-1:210987654321:parameter/'$(reboot)'")
    assert "reboot" not in " ".join(commands_of(run))


def test_permissions_are_simulated_on_the_repository() -> None:
    reads = cause_of(run_with(manifest=denied(DenialReason.IDENTITY)), "iam.execution-role").confirm.commands
    assert [read.split()[2] for read in reads] == ["simulate-principal-policy", "describe-task-definition"]
    assert (
        "--action-names ecr:BatchGetImage --resource-arns arn:aws:ecr:eu-west-1:123456789012:repository/app" in reads[0]
    )
    assert "ContextKeyName=aws:SourceVpce" in reads[0]
    token, image, _ = cause_of(run_with(manifest=Reply(Failure.DENIED, 403)), "iam.execution-role").confirm.commands
    assert "--action-names ecr:GetAuthorizationToken --context" in token
    assert "--action-names ecr:BatchGetImage ecr:GetDownloadUrlForLayer --resource-arns arn:aws:ecr:" in image


def test_a_cache_that_the_role_may_not_fill_needs_the_import_actions() -> None:
    run = FakeRun(
        replies={"manifest": Reply(Failure.NOT_FOUND, 404, code="NAME_UNKNOWN")}, planned={"repository": "hub/nginx"}
    )
    cause = cause_of(run, "iam.execution-role")
    assert '["ecr:BatchImportUpstreamImage","ecr:CreateRepository"]' in cause.fix.commands[0]
    assert "AmazonECSTaskExecutionRolePolicy" not in cause.fix.commands[0]


@pytest.mark.parametrize(
    ("endpoint", "action"),
    [("asm", "secretsmanager:GetSecretValue"), ("ssm", "ssm:GetParameters")],
)
def test_a_denial_without_an_action_is_of_the_services_own(endpoint: str, action: str) -> None:
    run = ReportedText(text=f"unable to retrieve secrets from {endpoint}: AccessDeniedException: Access denied")
    assert action in cause_of(run, "iam.execution-role").fix.text
    assert not [command for command in commands_of(run) if "ecr:" in command]


def test_a_denied_environment_file_is_allowed_by_itself() -> None:
    run = ReportedText(
        text="ResourceInitializationError: failed to download env files: file download command: non empty error "
        "stream: AccessDenied: Access Denied\n\tstatus code: 403, request id: 1A2B3C4D5E6F7A8B"
    )
    assert cause_of(run, "iam.execution-role").fix.text == "allow s3:GetObject to the role EXECUTION_ROLE"
    assert "starport" not in cause_of(run, "policy.vpce.s3").fix.text
    assert run.verdict().summary.startswith("the task cannot start: ")
    assert [step.endpoint for step in run.verdict().steps] == ["s3"]


def test_a_digest_that_ecs_pinned_needs_a_new_deployment() -> None:
    image = f"210987654321.dkr.ecr.eu-north-1.amazonaws.com/shop@sha256:{'a' * 64}"
    run = ReportedText(text=f"CannotPullContainerError: failed to resolve ref {image}: {image}: not found")
    assert "pins its digest" in run.findings()[0].why
    (command,) = cause_of(run, "registry.tag-not-found").fix.commands
    assert command.endswith("--force-new-deployment")
    assert cause_of(run, "registry.repo-not-found")


def test_a_log_group_is_allowed_as_a_whole() -> None:
    """AWS denies logs:CreateLogGroup on an ARN that ends in an empty stream."""
    run = text_about("logs:CreateLogGroup", "arn:aws:logs:eu-north-1:210987654321:log-group:/ecs/shop:log-stream:")
    (command,) = cause_of(run, "iam.execution-role").fix.commands
    assert '"Resource":"arn:aws:logs:eu-north-1:210987654321:log-group:/ecs/shop:*"' in command


# ---- the policy that denies -----------------------------------------------------------------------------------------


def test_an_explicit_deny_is_taken_out() -> None:
    policies = {
        "policy.vpce.ecr": denied(DenialReason.ENDPOINT, explicit=True),
        "iam.repository-policy": denied(DenialReason.RESOURCE, explicit=True),
        "iam.execution-role": denied(DenialReason.IDENTITY, explicit=True),
        "iam.permissions-boundary": denied(DenialReason.BOUNDARY, explicit=True),
    }
    for code, reply in policies.items():
        assert cause_of(run_with(manifest=reply), code).fix.text.startswith("take the Deny "), code
    layer = cause_of(run_with(layer=denied(DenialReason.ENDPOINT, explicit=True)), "policy.vpce.s3")
    assert layer.fix.text.startswith("take the Deny out of the policy of the S3 endpoint")
    allowed = cause_of(run_with(layer=denied(DenialReason.ENDPOINT)), "policy.vpce.s3")
    assert "allow s3:GetObject" in allowed.fix.text


def test_the_policy_that_the_answer_names_is_printed() -> None:
    cause = cause_of(run_with(token=denied(DenialReason.SERVICE_CONTROL, explicit=True, policy=SCP)), "iam.scp")
    assert "--policy-id p-xyz789 " in cause.fix.commands[1]
    own = "arn:aws:iam::123456789012:policy/NoEcr"
    cause = cause_of(run_with(token=denied(DenialReason.IDENTITY, explicit=True, policy=own)), "iam.execution-role")
    assert own in cause.fix.text
    cause = cause_of(run_with(token=denied(DenialReason.BOUNDARY, policy=own)), "iam.permissions-boundary")
    assert f"--policy-arn {own} " in cause.fix.commands[0]


def test_a_text_names_the_policy_too() -> None:
    run = text_about("ecr:GetAuthorizationToken", "*", f"with an explicit deny in a service control policy: {SCP}")
    assert "p-xyz789" in cause_of(run, "iam.scp").fix.text


@pytest.mark.parametrize(
    ("reason", "kinds"),
    [
        (DenialReason.SERVICE_CONTROL, ["SERVICE_CONTROL_POLICY"]),
        (DenialReason.RESOURCE_CONTROL, ["RESOURCE_CONTROL_POLICY"]),
    ],
)
def test_organization_policies_are_read_up_to_the_root(reason: DenialReason, kinds: list[str]) -> None:
    parents, *policies = cause_of(run_with(token=denied(reason)), "iam.scp").confirm.commands
    assert parents == "aws organizations list-parents --child-id 123456789012"
    assert [command.rpartition(" ")[2] for command in policies] == kinds


def test_an_organization_policy_without_a_name_is_searched_first() -> None:
    unnamed = cause_of(run_with(token=denied(DenialReason.SERVICE_CONTROL)), "iam.scp").fix
    named = cause_of(
        text_about("ecr:BatchGetImage", "*", f"with an explicit deny in a service control policy: {SCP}"), "iam.scp"
    ).fix
    assert [command for command in unnamed.commands if "list-policies-for-target" in command]
    assert not [command for command in named.commands if "list-" in command]
    assert "POLICY_ID" in (unnamed.note or "")
    assert "POLICY_ID" not in (named.note or "")


def test_a_repository_allows_the_role_that_pulls() -> None:
    fix = cause_of(run_with(Policy(), manifest=denied(DenialReason.RESOURCE)), "iam.repository-policy").fix
    assert fix.text.startswith("allow the role EXECUTION_ROLE in the policy of the repository ")


def test_conditions_on_the_vpc_are_all_named() -> None:
    note = cause_of(run_with(token=denied(DenialReason.IDENTITY)), "iam.source-vpce-condition").confirm.note or ""
    for key in ("SourceVpce", "SourceVpc", "SourceVpcArn", "VpceAccount", "VpceOrgID", "VpceOrgPaths"):
        assert f"aws:{key}" in note


def test_the_key_of_a_denied_decryption_is_named() -> None:
    run = text_about("kms:Decrypt", KEY, "because no resource-based policy allows the kms:Decrypt action")
    commands = cause_of(run, "kms.key").fix.commands
    assert all(f"--region eu-north-1 --key-id {KEY}" in command for command in commands)
    assert "--grantee-principal arn:aws:iam::210987654321:role/shopExecution" in commands[1]


def test_the_pulling_role_needs_no_grant_for_the_key_of_a_repository() -> None:
    run = run_with(layer=denied(DenialReason.RESOURCE, action="kms:Decrypt"))
    assert not [command for command in cause_of(run, "kms.key").fix.commands if "create-grant" in command]


def test_a_denied_key_of_a_secret_is_named_without_a_sentence() -> None:
    run = ReportedText(text="unable to retrieve secret from asm: AccessDeniedException: Access to KMS is not allowed")
    source, *_ = cause_of(run, "kms.key").confirm.commands
    assert source.startswith("aws secretsmanager describe-secret ")
    assert '"Action":["kms:Decrypt"]' in cause_of(run, "iam.execution-role").fix.commands[0]


# ---- replacing ------------------------------------------------------------------------------------------------------

# Operations that leave nothing of what was there. AWS's API references, "replaces", "overwrites" or "must include all".
REPLACING = re.compile(
    r"--policy-document file://(?!.*--set-as-default)|set-repository-policy|put-registry-policy"
    r"|put-replication-configuration|organizations update-policy|associate-dhcp-options|replace-route"
    r"|network-firewall update-|--network-configuration|update-resolver-rule|put-key-policy|update-assume-role-policy"
)


def all_advice() -> Iterator[Advice]:
    texts = {*CAUSES.values(), *(cause for code in WORDINGS for cause in causes_of(code))}
    for text in texts:
        yield from filter(None, (text.fix, text.fix_of_deny, text.confirm))


def test_what_is_replaced_is_saved_first() -> None:
    found = 0
    for advice in all_advice():
        places = [place for place, command in enumerate(advice.commands) if REPLACING.search(command)]
        found += len(places)
        assert places in ([], [1]), advice
        assert not places or (advice.note or "").startswith("The second command replaces "), advice
    assert found > 15


# ---- addresses, services and registries -----------------------------------------------------------------------------


def test_the_silent_address_is_read() -> None:
    run = FakeRun(hosts("ecr.api", tcp={"10.0.2.10": Failure.TIMEOUT}))
    for code in ("tcp.nacl", "tcp.security-group", "tcp.az-without-eni"):
        cause = cause_of(run, code)
        assert "10.0.1.77" not in f"{cause.fix} {cause.confirm.commands[0]}", code
    cause = cause_of(run, "tcp.security-group")
    assert "Values=10.0.2.10 " in cause.confirm.commands[0]
    assert "no network interface has the address" in (cause.confirm.note or "")


def test_an_ipv4_address_inside_ipv6_is_read_as_ipv4() -> None:
    run = FakeRun({"ecr.api": Host((), ipv6=("64:ff9b::a00:10a",), tcp=Failure.TIMEOUT)})
    assert "addresses.private-ip-address,Values=10.0.1.10 " in cause_of(run, "tcp.security-group").confirm.commands[0]


def test_ipv6_rules_are_written_as_ipv6() -> None:
    subnet = "2600:1f18:4a3b:5601::/64"
    run = FakeRun(
        {"ecr.api": Host((), ipv6=("2600:1f18:4a3b:5601::10",), tcp=Failure.TIMEOUT)},
        around={"subnet_cidr_ipv6": subnet, "subnet_cidr": None, "addresses": ("2600:1f18:4a3b:5601::77",)},
        planned={"vpc_cidrs": (subnet,)},
    )
    group = cause_of(run, "tcp.security-group").fix.commands[0]
    assert group.endswith(f'"IpProtocol=tcp,FromPort=443,ToPort=443,Ipv6Ranges=[{{CidrIpv6={subnet}}}]"')
    assert all("--ipv6-cidr-block" in command for command in cause_of(run, "tcp.nacl").fix.commands)


def test_a_route_for_ipv6_needs_no_nat() -> None:
    text = "dial tcp [2a05:d050:8080::1]:443: connect: network is unreachable"
    run = ReportedText(text=f"Head https://210987654321.dkr.ecr.eu-north-1.amazonaws.com/v2/a/manifests/1: {text}")
    assert "--destination-ipv6-cidr-block ::/0 --egress-only" in cause_of(run, "tcp.no-route").fix.commands[0]


def test_each_missing_endpoint_has_its_command() -> None:
    agent = {name: public(name) for name in ("ecs", "ecs-agent", "ecs-telemetry")}
    commands = cause_of(FakeRun(agent, agent=True), "ecs.control-plane-endpoints-missing").fix.commands
    services = [re.findall(r"--service-name (\S+)", command) for command in commands]
    assert services == [[f"com.amazonaws.eu-west-1.{name}"] for name in agent]


def test_an_endpoint_of_another_region_is_created_with_its_region() -> None:
    run = FakeRun({"logs": public("logs", tcp=Failure.TIMEOUT)}, planned={"logs_region": "us-west-2"})
    (command,) = cause_of(run, "logs.endpoint-missing").fix.commands
    assert "--region eu-west-1 " in command
    assert "--service-name com.amazonaws.us-west-2.logs --service-region us-west-2 " in command


@pytest.mark.parametrize(
    "text",
    [
        "failed to resolve ref ghcr.io/shop/cart:1: ghcr.io/shop/cart:1: not found",
        "toomanyrequests: You have reached your pull rate limit. https://www.docker.com/increase-rate-limit",
        "Error response from daemon: pull access denied for public.ecr.aws/shop/scan, repository does not exist or may "
        "require 'docker login': denied: Your authorization token has expired. Reauthenticate and try again.",
        "failed to resolve ref docker.io/library/redis:7: no match for platform in manifest: not found",
    ],
)
def test_another_registry_gets_no_command_of_ecr(text: str) -> None:
    run = ReportedText(text=f"CannotPullContainerError: {text}")
    assert not [command for command in commands_of(run) if command.startswith("aws ecr ")]
    assert "starport" not in str(run.findings())


def test_the_read_of_endpoints_says_which_is_which() -> None:
    read = cause_of(FakeRun({"ecr.api": public("ecr.api")}), "endpoint.missing.ecr-api").confirm
    assert "[ServiceName,ServiceRegion," in read.commands[0]
    assert "in another one the answer is empty" in (read.note or "")
