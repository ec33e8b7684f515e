"""The table of flags, and the parser that collects their texts from the command line and the environment.

`readers.py` turns a text into a value, `settings.py` combines several flags, `commands.py` lists the flags of each
command. `health` imports this module every minute, so it imports little.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from typing import Any, NoReturn, TypeVar

from probe.report import FLEET_FORMATS, FORMATS, listed

T = TypeVar("T")
PREFIX = "ECR_PROBE_"


class UsageError(Exception):
    """A mistake of the user: one line that names flag and variable and shows a good value. Exit code 2."""


def with_example(sentence: str, good: str) -> str:
    """The sentence and a good value. A suggestion ("did you mean ...?") ends its sentence."""
    return f"{sentence} For example: {good}" if sentence.endswith("?") else f"{sentence}; for example {good}"


@dataclass(frozen=True, slots=True)
class Flag:
    """One flag and its variable.

    `metavar` is empty for a switch; `bare` is the value of a flag that is typed without one. `example` is a good
    value. `default` is the value that applies otherwise, as it would be typed; `note` describes a default that is not
    a fixed value, or an exception from it. `choices` lists the possible values; it is a function because `health` must
    not import what some of them come from.
    """

    name: str
    metavar: str = ""
    example: str = ""
    help: str = ""
    default: str = ""
    note: str = ""
    choices: Callable[[], Iterable[str]] | None = None
    many: bool = False
    on_command_line: bool = True  # False for secrets: other users can read a command line
    has_variable: bool = True
    short: str = ""  # "v" for -v
    bare: str = ""

    @property
    def switch(self) -> bool:
        return not self.metavar

    @property
    def help_text(self) -> str:
        return self.help.replace("CHOICES", ", ".join(self.choices())) if self.choices else self.help

    @property
    def default_text(self) -> str:
        return "; ".join(filter(None, (self.default, self.note))) or ("no" if self.switch else "none")

    @property
    def variable(self) -> str:
        return PREFIX + self.name.upper().replace("-", "_")

    @property
    def label(self) -> str:
        """Flag and variable, as error messages name them."""
        return f"--{self.name} ({self.variable})" if self.has_variable else f"--{self.name}"

    @property
    def opposite(self) -> str:
        return self.name.removeprefix("no-") if self.name.startswith("no-") else f"no-{self.name}"

    def refusal(self, sentence: str, *, given_by: str = "", example: str = "") -> UsageError:
        """The error. `example` replaces the flag's own, where that would be refused too."""
        if not self.on_command_line:
            return UsageError(f"{self.variable}: {with_example(sentence, f'{self.variable}={self.example}')}")
        good = example or f"--{self.name} {self.example}".rstrip()
        if not self.has_variable:
            return UsageError(f"--{self.name}: {with_example(sentence, good)}")
        good += f" or {self.variable}=true" if self.switch and not example else ""
        origin = f", here from {given_by}" if given_by else ""
        return UsageError(f"--{self.name} ({self.variable}{origin}): {with_example(sentence, good)}")


# ---- flags of a check ----------------------------------------------------------------------------


def _imported(module: str, name: str) -> Callable[[], Iterable[str]]:
    return lambda: getattr(import_module(module), name)


IMAGE = Flag(
    "image",
    "REF",
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app:1.0",
    "the image to pull",
    note="the container's own, from the task metadata",
)
TARGET_FLAGS = (
    IMAGE,
    Flag("platform", "OS/ARCH", "linux/arm64", "the platform to choose from a multi-arch image", note="this machine's"),
    Flag(
        "layers",
        "WHICH",
        "smallest",
        "which layers to download: smallest, all (the whole pull, in parallel) or none",
        default="smallest",
        choices=_imported("probe.model", "Layers"),
    ),
    Flag(
        "layer-bytes", "SIZE", "64MiB", "with --layers smallest: read only this much of a larger layer", default="64MiB"
    ),
    Flag(
        "also",
        "NAME,...",
        "secretsmanager,sts",
        "also check these endpoints, most of them with one signed call that reads no secret: CHOICES",
        choices=_imported("probe.config.readers", "ALSO"),
        many=True,
    ),
)
VPC_CIDR = Flag(
    "vpc-cidr",
    "CIDR",
    "10.0.0.0/16",
    "a range that counts as yours: the VPC's, a secondary one, the hub's; repeatable",
    note="the task's subnet; on EC2 the VPC's ranges from instance metadata",
    many=True,
)
NETWORK_FLAGS = (
    VPC_CIDR,
    Flag(
        "endpoint-dns",
        "E=NAME",
        "ecr.api=vpce-0a1b2c3d4e5f60718-abcdefgh.api.ecr.eu-west-1.vpce.amazonaws.com",
        "take the addresses of endpoint E from the endpoint's own DNS name (vpce-...)",
        many=True,
    ),
    Flag(
        "ca-bundle",
        "FILE",
        "/etc/ssl/certs/ca-certificates.crt",
        "the certificates to trust",
        note="AWS_CA_BUNDLE, otherwise the system's",
    ),
    Flag(
        "no-controls",
        help="omit the control steps: connections to other hosts, and handshakes with a large ClientHello",
    ),
    Flag("allow-instance-role", help="allow credentials from instance metadata"),
)
STRICT = Flag("strict", help="exit with 1 if the verdict is degraded")
JUDGEMENT_FLAGS = (
    Flag(
        "allow-public",
        "E,...",
        "logs",
        "accept a public path to these endpoints: CHOICES",
        choices=_imported("probe.config.readers", "ENDPOINTS"),
        many=True,
    ),
    Flag(
        "pull-role",
        "ARN",
        "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
        "the role that pulls, which is compared with the role of the probe's credentials",
    ),
    STRICT,
)
LIMIT_FLAGS = (
    Flag(
        "deadline",
        "DURATION",
        "30s",
        "limit of the whole run, from process start",
        default="30s",
        note="15m with --layers all",
    ),
    Flag(
        "connect-timeout",
        "DURATION",
        "3s",
        "limit of one TCP connection",
        default="3s",
        note="never longer than --deadline",
    ),
)
FORMAT = Flag(
    "format",
    "F",
    "json",
    f"{listed(FORMATS.values())}; repeatable, each with an --output after it",
    default="text",
    choices=lambda: FORMATS,
    many=True,
)
OUTPUT_FLAGS = (
    Flag(
        "output",
        "FILE",
        "verdict.json",
        "write the report of the preceding --format to FILE, atomically",
        note="stdout",
        many=True,
    ),
    Flag(
        "runbook-base",
        "URL",
        "https://docs.example.com/ecr-probe/findings/CODE/",
        "where the pages of the findings are published, for links in reports: CODE is replaced with the code of a "
        "finding; without CODE it is added at the end",
        note="docs/findings/CODE.md, a path in the repository",
    ),
    Flag("pretty", help="json: with line breaks and indentation", note="only on a terminal"),
    Flag("verbose", help="text: every cause, step and note", short="v"),
    Flag("quiet", help="text: only the verdict line", short="q"),
)
REPORT_FLAGS = (FORMAT, *OUTPUT_FLAGS)
FLAGS = (*TARGET_FLAGS, *NETWORK_FLAGS, *JUDGEMENT_FLAGS, *LIMIT_FLAGS, *REPORT_FLAGS)
PUSH_GATEWAY = Flag(
    "push-gateway",
    "URL",
    "https://push.example.com:9091",
    "also push the run's metrics to this gateway; a path with /metrics/job/... sets the group",
)
CHECK_FLAGS = (*FLAGS, PUSH_GATEWAY)


# ---- flags of the sidecar ------------------------------------------------------------------------

LISTEN = Flag(
    "listen",
    "ADDR:PORT",
    "127.0.0.1:9879",
    "the sidecar's address; IPv6 in brackets, or unix:/PATH; 0.0.0.0:9879 also answers a scraper outside the task",
    default="127.0.0.1:9879",
)
TLS_CERTIFICATE = Flag(
    "tls-certificate",
    "FILE",
    "/run/secrets/tls.pem",
    "serve over TLS with this certificate chain",
    note="none: plain HTTP",
    on_command_line=False,
)
SERVE_FLAGS = (
    Flag(
        "interval",
        "DURATION",
        "60s",
        "time from the start of one round to the next, varied by up to a tenth",
        default="60s",
    ),
    LISTEN,
    Flag(
        "allow-host",
        "NAME,...",
        "probe.example.com",
        "answer requests for these host names too; * means any",
        note="addresses, names without a dot, and names in .internal, .local and .localhost; any with TLS or a login",
        many=True,
    ),
    Flag("compat-blackbox", help="also export probe_success and probe_duration_seconds, as blackbox_exporter does"),
    TLS_CERTIFICATE,
    Flag(
        "tls-key",
        "FILE",
        "/run/secrets/tls.key",
        "the private key of the certificate",
        note="in the certificate's file",
        on_command_line=False,
    ),
    Flag(
        "basic-auth",
        "USER:PASSWORD",
        "prometheus:s3cret-of-yours",
        "require this login for everything but the health check",
        on_command_line=False,
    ),
)
HEALTH_FLAGS = (LISTEN, replace(TLS_CERTIFICATE, help="connect over TLS, since serve uses this certificate chain"))


def variant(flags: Sequence[Flag], **changes: Mapping[str, Any]) -> tuple[Flag, ...]:
    """`flags` with some fields of some of them changed, by name with underscores."""
    return tuple(replace(flag, **changes.get(flag.name.replace("-", "_"), {})) for flag in flags)


# A round of the sidecar has another budget than a check, and prints no report by itself.
_IN_A_SIDECAR: dict[str, Mapping[str, Any]] = {
    "layer_bytes": {"default": "1MiB"},
    "deadline": {"help": "limit of one round", "note": "--interval if that is shorter; 15m with --layers all"},
    "connect_timeout": {"note": "a third of --interval if that is shorter and --deadline is not set"},
    "strict": {"help": "give a degraded verdict exit_code 1 in reports and at /verdict; serve does not exit with it"},
    "format": {"default": "", "note": "no report unless --format or --output is set"},
    "output": {"help": "replace FILE with the report of the preceding --format after each round, atomically"},
}
SIDECAR_CHECK_FLAGS = variant(FLAGS, **_IN_A_SIDECAR)


# ---- flags of demo -------------------------------------------------------------------------------

DEMO_FLAGS = (
    Flag(
        "list",
        help="list the scenarios and their expected findings; with SCENARIO, only those that match",
        has_variable=False,
    ),
    Flag("all", help="run all scenarios, one line each", has_variable=False),
    Flag("exit-code", help="exit with the verdict's own code, to rehearse a failing pipeline", has_variable=False),
    Flag(
        "inspect",
        help="then read the configuration of the simulated account, and name the object that causes the fault",
        has_variable=False,
    ),
)
DEMO_SERVE_FLAGS = (
    Flag("serve", help="run the sidecar in the simulated VPC until Ctrl-C", has_variable=False),
    Flag(
        "drill",
        help="with --serve: alternate healthy and faulty rounds; with SCENARIO, only that fault",
        has_variable=False,
    ),
    *variant(
        SERVE_FLAGS,
        interval={"default": "10s"},
        listen={"default": "127.0.0.1:9879"},
    ),
)
DEMO_CHECK_FLAGS = variant(
    FLAGS,
    image={"note": "the scenario's"},
    vpc_cidr={"note": "the simulated task's subnet"},
    ca_bundle={"note": "the simulated certificate authority"},
    layer_bytes={"note": "1MiB with --serve"},
    format={"note": "with --serve, no report unless --format or --output is set"},
    connect_timeout={
        "note": "never longer than --deadline; with --serve, a third of --interval if that is shorter "
        "and --deadline is not set"
    },
    deadline={"note": "15m with --layers all; with --serve, --interval if that is shorter"},
    strict={"help": "give a degraded verdict exit_code 1; demo exits with it if --exit-code is set"},
)


# ---- flags of explain ----------------------------------------------------------------------------

TASK = Flag(
    "task",
    "ARN",
    "arn:aws:ecs:eu-west-1:123456789012:task/main/0123456789abcdef0123456789abcdef",
    "instead of FILE: a stopped task; its reasons are read with ecs:DescribeTasks",
)
PROFILE = Flag("profile", "NAME", "default", "the AWS CLI profile to use", note="AWS_PROFILE")
CONTEXT_FLAGS = (
    replace(IMAGE, note="the one in the text", help="the image, if the text does not contain it"),
    replace(VPC_CIDR, note="none", help="a range that counts as yours, to classify addresses in the text"),
)
_NUMERIC = " and ".join(row.name for row in FORMATS.values() if row.numeric)
EXPLAIN_REPORT_FLAGS = variant(
    REPORT_FLAGS, format={"help": f"{FORMAT.help}; {_NUMERIC} need a saved verdict, since a text has no measurements"}
)
INSPECT_TASK = Flag("inspect", help="with --task: also read the configuration of its subnet, which settles the causes")
EXPLAIN_FLAGS = (TASK, INSPECT_TASK, PROFILE, *CONTEXT_FLAGS, *EXPLAIN_REPORT_FLAGS)


# ---- flags of smoke ------------------------------------------------------------------------------

LAUNCH_TYPES = ("FARGATE", "EC2")
FARGATE_PROVIDERS = ("FARGATE", "FARGATE_SPOT")
INSPECTED = ("failed", "all")


def _expectations() -> Iterable[str]:
    from probe.faults import FAULTS

    return (f"fail:{fault.code}" for fault in FAULTS)


PLACEMENT_FLAGS = (
    Flag("cluster", "NAME", "main", "the cluster, by name or ARN", default="default"),
    Flag("service", "NAME", "shop", "run where this service's tasks run: its subnets, security groups and launch type"),
    Flag(
        "subnets",
        "SUBNET,...",
        "subnet-0a1b2c3d4e5f60718",
        "run a task in each of these; with --service, only in these of its subnets",
        note="the service's",
        many=True,
    ),
    Flag(
        "security-groups",
        "GROUP,...",
        "sg-0a1b2c3d4e5f60718",
        "the security groups of the tasks that pull",
        note="the service's",
        many=True,
    ),
    Flag("assign-public-ip", help="give the tasks a public address", note="the service's, otherwise no"),
    Flag(
        "launch-type",
        "TYPE",
        "EC2",
        "FARGATE or EC2",
        note="the service's, otherwise FARGATE in awsvpc mode",
        choices=lambda: LAUNCH_TYPES,
    ),
    Flag(
        "capacity-provider",
        "NAME",
        "FARGATE_SPOT",
        "use this instead of a launch type",
        note="the service's, otherwise none",
    ),
)
PROBE_FLAGS = (
    Flag(
        "task-definition",
        "NAME",
        "ecr-probe-smoke",
        "the task definition to run: NAME, NAME:REVISION or an ARN",
        default="ecr-probe-smoke",
    ),
    Flag(
        "container",
        "NAME",
        "ecr-probe",
        "the probe's container in the task definition",
        note="found by its name or image",
    ),
    replace(IMAGE, note="the task definition's ECR_PROBE_IMAGE, otherwise the probe's own image"),
    Flag(
        "as-execution-role",
        help="run with the role that pulls: the service's execution role, or without --service the task definition's",
    ),
)
OUTCOME_FLAGS = (
    Flag(
        "expect",
        "fail:CODE",
        "fail:tcp.silent",
        "a rehearsal: exit with 0 if every subnet fails with this finding; fail:CODE@SUBNET for one subnet",
        choices=_expectations,
        many=True,
    ),
    STRICT,
    Flag(
        "inspect",
        "WHICH",
        "all",
        "also read the configuration of these subnets, failed or all, and join it with their verdicts; "
        "without a value failed",
        note="none is read",
        choices=lambda: INSPECTED,
        bare="failed",
    ),
    Flag("wait-until-pass", "DURATION", "5m", "keep retrying failed subnets for this long", default="0s"),
    Flag(
        "timeout",
        "DURATION",
        "10m",
        "limit of the whole run",
        default="10m",
        note="5m more than --wait-until-pass if that is longer",
    ),
)
ACCOUNT_FLAGS = (
    Flag(
        "region",
        "REGION",
        "eu-west-1",
        "the region of the cluster",
        note="from the cluster's ARN, AWS_REGION or the profile",
    ),
    PROFILE,
)
FLEET_REPORT_FLAGS = variant(
    REPORT_FLAGS,
    format={
        "example": "junit",
        "choices": lambda: FLEET_FORMATS,
        "help": f"{listed(FLEET_FORMATS.values())}; repeatable, each with an --output after it",
    },
)
SMOKE_FLAGS = (*PLACEMENT_FLAGS, *PROBE_FLAGS, *OUTCOME_FLAGS, *ACCOUNT_FLAGS, *FLEET_REPORT_FLAGS)


# ---- flags of up and down ------------------------------------------------------------------------

UP_IMAGE_FLAGS = (
    Flag(
        "image-archive",
        "FILE",
        "ecr-probe.tar",
        "push the probe's image from this archive: an OCI layout (folder, .tar, .tar.gz), or what docker save writes",
        note="the image that is in the repository already",
    ),
    Flag(
        "image-from",
        "REF",
        "example.com/ecr-probe:0.1.0",
        "copy the probe's image from this registry, with docker's logins",
        note="the image that is in the repository already",
    ),
    Flag(
        "repository",
        "NAME",
        "tools/ecr-probe",
        "the ECR repository of the probe's image, created if it does not exist; an existing one of others is pushed to "
        "only if this is set",
        default="ecr-probe",
    ),
    Flag(
        "platform",
        "OS/ARCH",
        "linux/arm64",
        "the platform of the task",
        note="the service's, otherwise the image's if it has only one",
    ),
)
STACK_NAME = Flag("stack-name", "NAME", "ecr-probe", "the CloudFormation stack", default="ecr-probe")
UP_STACK_FLAGS = (
    STACK_NAME,
    replace(VPC_CIDR, help="a range that counts as yours; repeatable", note="all ranges of the subnets' VPC"),
    Flag(
        "schedule",
        "WHEN",
        "'rate(15 minutes)'",
        "also run the check by itself, rate(...) or cron(...) of EventBridge Scheduler; none removes it",
        note="as the stack has it, at first none",
    ),
    Flag(
        "alarm-topic",
        "ARN",
        "arn:aws:sns:eu-west-1:123456789012:oncall",
        "the SNS topic that receives the alarms of the schedule; none removes it",
        note="as the stack has it, at first none",
    ),
    Flag(
        "alarm-email",
        "ADDRESS",
        "oncall@example.com",
        "the e-mail address that receives the alarms of the schedule, through a topic of the stack; SNS asks it to "
        "confirm first; none removes it",
        note="as the stack has it, at first none",
    ),
    Flag(
        "alarm-statuses",
        "WHICH",
        "fail-or-inconclusive",
        "the verdicts that raise the alarm of the schedule: CHOICES",
        note="as the stack has it, at first fail",
        choices=_imported("probe.deploy.options", "ALARM_STATUSES"),
    ),
    Flag(
        "permissions-boundary",
        "ARN",
        "arn:aws:iam::123456789012:policy/ecr-probe-boundary",
        "the policy that limits the stack's roles; operator-up.json allows roles only with one; none removes it",
        note="as the stack has it, at first none",
    ),
    Flag(
        "sidecar",
        help="also run the sidecar as an ECS service of one task, with its page and metrics",
        note="as the stack has it, at first no",
    ),
    Flag(
        "sidecar-listen",
        "ADDR:PORT",
        "0.0.0.0:9879",
        "where the sidecar serves its page and metrics, without a login: 127.0.0.1:9879 for its own task only, "
        "0.0.0.0:9879 for everyone whom the security groups let in",
        note="as the stack has it, at first 127.0.0.1:9879",
        choices=_imported("probe.deploy.options", "SIDECAR_ADDRESSES"),
    ),
)
PLAN = Flag("plan", help="only print what would be done; nothing is changed", has_variable=False)
YES = Flag("yes", help="do it without asking", has_variable=False)
UP_CONSENT_FLAGS = (
    PLAN,
    YES,
    Flag("once", help="remove everything again after the verdict, also after Ctrl-C", has_variable=False),
)
UP_OUTCOME_FLAGS = (
    *(flag for flag in PROBE_FLAGS if flag.name == "as-execution-role"),
    *(flag for flag in OUTCOME_FLAGS if flag.name in ("strict", "inspect")),
    Flag("timeout", "DURATION", "30m", "limit of the whole run", default="30m"),
)
_UP_REGION = replace(ACCOUNT_FLAGS[0], help="the region in which to work")
UP_ACCOUNT_FLAGS = (_UP_REGION, PROFILE)
UP_FLAGS = (
    *PLACEMENT_FLAGS,
    *UP_IMAGE_FLAGS,
    *UP_STACK_FLAGS,
    *UP_CONSENT_FLAGS,
    *UP_OUTCOME_FLAGS,
    *UP_ACCOUNT_FLAGS,
    *FLEET_REPORT_FLAGS,
)
DOWN_STACK_FLAGS = (
    replace(STACK_NAME, help="the CloudFormation stack that up has created"),
    PLAN,
    YES,
    Flag("timeout", "DURATION", "30m", "limit of the whole run", default="30m"),
)
DOWN_ACCOUNT_FLAGS = (replace(_UP_REGION, note="AWS_REGION or the profile's"), PROFILE)
DOWN_FLAGS = (*DOWN_STACK_FLAGS, *DOWN_ACCOUNT_FLAGS)


# ---- flags of inspect ----------------------------------------------------------------------------

INSPECT_FLAGS = (
    Flag("cluster", "NAME", "main", "the cluster, by name or ARN", default="default"),
    Flag("service", "NAME", "shop", "inspect where this service's tasks run, with their images and execution role"),
    replace(TASK, help="inspect where this task runs or ran"),
    Flag(
        "subnets",
        "SUBNET,...",
        "subnet-0a1b2c3d4e5f60718",
        "inspect these subnets, before anything runs there; with --service, only these of its subnets",
        note="the service's or the task's",
    ),
    Flag(
        "security-groups",
        "GROUP,...",
        "sg-0a1b2c3d4e5f60718",
        "the security groups of a task in these subnets",
        note="the service's or the task's",
    ),
    replace(IMAGE, note="those of the task definition", help="the image that is pulled"),
    Flag(
        "execution-role",
        "ARN",
        "arn:aws:iam::123456789012:role/shop-execution",
        "the role that pulls",
        note="the task definition's",
    ),
    Flag(
        "launch-type",
        "TYPE",
        "FARGATE",
        "on which the task runs, FARGATE or EC2",
        note="the service's or the task's, otherwise FARGATE",
        choices=lambda: LAUNCH_TYPES,
    ),
    Flag(
        "verdict",
        "FILE",
        "verdict.json",
        "join what a check or smoke measured: its JSON document, - is standard input; it says where to look",
    ),
    Flag("save", "FILE", "configuration.json", "save what was read, without secrets, to inspect it again later"),
    Flag(
        "configuration",
        "FILE",
        "configuration.json",
        "inspect a saved configuration, without a call to AWS; - is standard input",
    ),
    Flag(
        "with",
        "KIND:ID=FILE",
        "security-group:sg-0a1b2c3d4e5f60718=group.json",
        "ask what a change would do: use the object in FILE, in the API's own shape, instead of the one that is read; "
        "KIND is policy, security-group, network-acl or route-table; ID of a policy is that of its VPC endpoint, the "
        "name of its repository, ROLE/NAME or its ARN; repeatable",
        note="nothing is changed",
    ),
    Flag(
        "cross-check",
        help="ask IAM's policy simulator about the pulling role too, and report where it disagrees; it needs "
        "iam:SimulatePrincipalPolicy",
    ),
    Flag(
        "read-manifest",
        help="also read which platforms an image has, from its index; this can count as a pull, and it needs "
        "ecr:BatchGetImage",
    ),
    STRICT,
)
INSPECT_REPORT_FLAGS = FLEET_REPORT_FLAGS
_EVERY_FLAG = (*CHECK_FLAGS, *SERVE_FLAGS, *SMOKE_FLAGS, *EXPLAIN_FLAGS, *INSPECT_FLAGS, *UP_FLAGS, *DOWN_FLAGS)


# ---- texts of flags ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Arguments:
    """The texts of flags and variables, by flag. `reports` has --format and --output in the order of the command
    line, `positional` the argument that is no flag."""

    texts: Mapping[str, tuple[str, ...]]
    flags: Mapping[str, Flag]
    by_variable: frozenset[str]
    reports: tuple[tuple[str, str], ...] = ()
    positional: str | None = None

    def __contains__(self, name: str) -> bool:
        return name in self.texts

    def on_command_line(self, name: str) -> bool:
        return name in self.texts and name not in self.by_variable

    def value(self, name: str, read: Callable[[str], T]) -> T | None:
        """The value of a flag, the last one if it is repeated; None if neither flag nor variable is set."""
        return self._convert(name, self.texts[name][-1], read) if name in self.texts else None

    def value_or_default(self, name: str, read: Callable[[str], T]) -> T:
        """The value of a flag, or that of its default."""
        return self._convert(name, self.texts.get(name, (self.flags[name].default,))[-1], read)

    def values(self, name: str, read: Callable[[str], T]) -> tuple[T, ...]:
        """The values of a repeatable flag, repeated or separated by commas, without duplicates."""
        if name not in self.texts:
            return ()
        texts = [text.strip() for argument in self.texts[name] for text in argument.replace("\n", ",").split(",")]
        texts = [text for text in texts if text]
        if not texts and name not in self.by_variable:
            raise self.flags[name].refusal("the list is empty")
        return tuple(dict.fromkeys(self._convert(name, text, read) for text in texts))

    def on(self, name: str) -> bool:
        from probe.config.readers import switch  # its module imports more than `health` can afford

        return bool(self.value(name, switch))

    def refusal(self, name: str, sentence: str, *, example: str = "") -> UsageError:
        return self.flags[name].refusal(sentence, example=example)

    def _convert(self, name: str, text: str, read: Callable[[str], T]) -> T:
        try:
            return read(text)
        except ValueError as error:
            raise self.flags[name].refusal(str(error)) from None


class _Parser(argparse.ArgumentParser):
    """argparse that raises instead of printing and exiting."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


class _Append(argparse.Action):
    """Collects texts by flag, and --format and --output in one list that keeps their order."""

    def __call__(self, _parser: object, namespace: argparse.Namespace, values: Any, _option: str | None = None) -> None:
        text = str(self.const) if values == [] else str(values)
        namespace.texts.setdefault(self.dest, []).append(text)
        if self.dest in ("format", "output"):
            namespace.reports.append((self.dest, text))


def collect(
    flags: Iterable[Flag],
    argv: Sequence[str],
    environ: Mapping[str, str],
    *,
    positional: str = "",
    example: str = "",
) -> Arguments:
    """Find the texts of flags: on the command line, otherwise in their variables. An empty variable counts as unset.

    `positional`: the metavar of an optional argument that is no flag. `example`: a good command line for errors.
    """
    by_name = {flag.name: flag for flag in flags}
    # Without a width argparse imports shutil to measure the terminal, which costs every health check 2 ms.
    formatter = partial(argparse.HelpFormatter, width=80)
    parser = _Parser(add_help=False, allow_abbrev=False, exit_on_error=False, formatter_class=formatter)
    if positional:
        parser.add_argument("positional", nargs="?", metavar=positional)
    for flag in (flag for flag in by_name.values() if flag.on_command_line):
        if flag.switch:
            names = ([f"-{flag.short}"] if flag.short else []) + [f"--{flag.name}"]
            parser.add_argument(*names, dest=flag.name, action=_Append, nargs=0, const="true")
            parser.add_argument(f"--{flag.opposite}", dest=flag.name, action=_Append, nargs=0, const="false")
        elif flag.bare:
            parser.add_argument(f"--{flag.name}", dest=flag.name, action=_Append, nargs="?", const=flag.bare)
        else:
            parser.add_argument(f"--{flag.name}", dest=flag.name, action=_Append)
    namespace = argparse.Namespace(texts={}, reports=[], positional=None)
    try:
        parser.parse_args(list(argv), namespace)
    except argparse.ArgumentError as error:
        raise _misused(error, by_name) from None
    except UsageError as error:
        raise _unrecognized(str(error), by_name, example) from None
    texts = {name: tuple(texts) for name, texts in namespace.texts.items()}
    variables = {
        name: (environ[flag.variable].strip(),)
        for name, flag in by_name.items()
        if flag.has_variable and name not in texts and environ.get(flag.variable, "").strip()
    }
    reports = tuple(namespace.reports)
    return Arguments({**variables, **texts}, by_name, frozenset(variables), reports, namespace.positional)


def _misused(error: argparse.ArgumentError, flags: Mapping[str, Flag]) -> UsageError:
    """A flag without a value that it needs, or a switch with a value."""
    name = (error.argument_name or "").split("/")[-1].removeprefix("--")
    flag = next((flag for flag in flags.values() if name in (flag.name, flag.opposite)), None)
    if flag is None:
        return UsageError(str(error))
    if "ignored explicit argument" not in error.message:
        return flag.refusal("a value is missing")
    return flag.refusal("a switch takes no value on the command line")


def _unrecognized(message: str, flags: Mapping[str, Flag], example: str) -> UsageError:
    from probe.safe_words import quoted  # only after a mistake

    arguments = (
        message.rpartition("unrecognized arguments: ")[2].split() if "unrecognized arguments: " in message else []
    )
    if not arguments:
        return UsageError(message)
    name = arguments[0].partition("=")[0]
    near = get_close_matches(name.removeprefix("--"), flags, n=1, cutoff=0.6) if name.startswith("--") else []
    if not near:
        return UsageError(f"unknown argument {quoted(arguments[0])}; for example {example}, or --help")
    flag = flags[near[0]]
    if not flag.on_command_line:
        return flag.refusal(f"there is no --{flag.name}, because other users can read a command line; set the variable")
    good = f"--{flag.name} {flag.example}".rstrip()
    return UsageError(with_example(f"unknown flag {quoted(name)}; did you mean {flag.label}?", good))


def misspelt_variables(environ: Mapping[str, str], flags: Sequence[Flag] = _EVERY_FLAG) -> tuple[str, ...]:
    """One sentence for each variable that looks misspelled; others with our prefix may belong to something else."""
    variables = [flag.variable for flag in flags if flag.has_variable]
    typed = (flag for flag in (*DEMO_FLAGS, *DEMO_SERVE_FLAGS, *UP_CONSENT_FLAGS) if not flag.has_variable)
    only_typed = {flag.variable: flag.name for flag in typed if flag.variable not in variables}
    sentences = []
    for name in sorted(environ):
        if name in only_typed:
            sentences.append(
                f"{name} is not a variable of ecr-probe; --{only_typed[name]} is set on the command line only"
            )
        elif name.startswith(PREFIX) and name not in variables:
            near = get_close_matches(name, variables, n=1, cutoff=0.9)
            sentences += [f"{name} is not a variable of ecr-probe; did you mean {near[0]}?"] if near else []
    return tuple(sentences)
