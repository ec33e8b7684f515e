"""Faults of a client's login to ECR before the pull, which only error texts show: the password, helper, provider, host.

The clients find out by the host's name that a registry is ECR, and what they send as the password is what a command or
a provider printed. Sources: issues of aws/aws-cli on logins; kubelet pkg/credentialprovider/plugin; the
ecr-credential-provider of cloud-provider-aws; amazon-ecr-credential-helper; docker/login-action src/aws.ts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from probe.faults import causes
from probe.faults.causes import advice, reads
from probe.faults.evidence import Evidence
from probe.faults.fault import Fault, finding, finds
from probe.faults.subjects import Case, Meaning, Subject, says
from probe.model import Action, Basis, Client, Failure, Finding, Impact, Step
from probe.records import replace

NO_TOKEN = Fault(
    "registry.no-token",
    "the request to the registry carried no token",
    "The registry answers, so the network path to it works. The login before it returned no token: ecr.api did not "
    "answer, the role may not call it, or the client logged in under another spelling of the host.",
    Impact.PULL,
    (
        causes.EXECUTION_ROLE,
        causes.MISSING_ECR_API,
        causes.NO_ROUTE,
        causes.UNRECOGNISED_HOST,
        causes.TOKEN_EXPIRED,
        causes.LEGACY_HOSTNAME,
    ),
    other_causes=(causes.NO_CREDENTIAL_PROVIDER,),
)
# ECS logs in by itself; other clients need a helper, a provider or a login that the user configured.
NO_LOGIN = NO_TOKEN.variant(
    why=(
        "The registry answers, so the network path to it works. The client has no login for this host: no credential "
        "helper or provider is configured for it, or the helper could not fetch a token."
    ),
    causes=(
        causes.NO_CREDENTIAL_PROVIDER,
        causes.EXECUTION_ROLE,
        causes.MISSING_ECR_API,
        causes.UNRECOGNISED_HOST,
        causes.NO_ROUTE,
        causes.TOKEN_EXPIRED,
        causes.LEGACY_HOSTNAME,
    ),
)
# A user or a job has logged in by hand, often under another spelling of the host or as another user.
NO_LOGIN_OF_USER = NO_LOGIN.variant(
    causes=(
        causes.NO_CREDENTIAL_PROVIDER,
        causes.UNRECOGNISED_HOST,
        causes.EXECUTION_ROLE,
        causes.TOKEN_EXPIRED,
        causes.MISSING_ECR_API,
        causes.NO_ROUTE,
        causes.LEGACY_HOSTNAME,
    )
)
# containerd pulls the sandbox image by itself, without the kubelet's credentials.
NO_LOGIN_OF_SANDBOX = NO_LOGIN.variant(
    title="the container runtime has no token for its sandbox image",
    why=(
        "The registry answers, so the network path to it works. The container runtime pulls its sandbox image by "
        "itself: the node fetches it once with a login that is valid for 12 hours, and after that the image must stay "
        "on the node."
    ),
    causes=(
        replace(
            causes.TOKEN_EXPIRED,
            title="the sandbox image was removed from the node after the login of the boot had expired",
            fix=advice(
                "replace the node, or pull the image again there with a new login; update the node's image, which pins "
                "the sandbox image in newer releases",
                "kubectl get nodes --output wide",
                note="The command shows the versions of the nodes' images and container runtimes.",
            ),
            confirm=reads(
                "journalctl --unit containerd --since '-1 hour'", note="Run it on the node, which removed the image."
            ),
        ),
        causes.NO_CREDENTIAL_PROVIDER,
        causes.EXECUTION_ROLE,
        causes.MISSING_ECR_API,
        causes.NO_ROUTE,
    ),
)
_LOGIN = "aws ecr get-login-password --region {region} | docker login --username AWS --password-stdin {registry}"
_WRONG_PASSWORD = replace(
    causes.MISCONFIGURED,
    title="what was sent as the password is not the bare token: nothing, a prompt, an error, or the undecoded token",
    fix=advice(
        "pipe only the output of get-login-password, without a terminal (docker run without -t) and prompts",
        _LOGIN,
        note="Set AWS_CLI_AUTO_PROMPT=off. authorizationToken of get-authorization-token is Base64 of AWS:PASSWORD.",
    ),
    confirm=reads(
        "aws ecr get-login-password --region {region}",
        note="It prints a secret: a token is one line of more than 1,000 characters, and nothing else may be printed.",
    ),
)
_OTHER_REGION = replace(
    causes.CROSS_REGION,
    title="the token was issued in another region than the registry's",
    fix=advice("issue the token in the registry's region", _LOGIN),
    confirm=reads(
        'aws ecr get-authorization-token --region {region} --query "authorizationData[].proxyEndpoint"',
        note="It prints the registry for which a token of that region is valid.",
    ),
)
# AWS[ecr-login-400]
LOGIN_MALFORMED = Fault(
    "registry.login-invalid",
    "the registry does not accept the form of the client's login: HTTP 400",
    "The registry answered, so the network path works. It answers 400 where the password is no token of this registry; "
    "the command that printed the password may have failed before.",
    Impact.PULL,
    (_WRONG_PASSWORD, _OTHER_REGION, causes.CREDENTIALS_REJECTED, causes.TOKEN_EXPIRED),
)
LOGIN_OF_OTHER_REGION = LOGIN_MALFORMED.variant(
    why="The registry answered, so the network path works. The text shows a token of another region.",
    causes=(_OTHER_REGION, _WRONG_PASSWORD, causes.TOKEN_EXPIRED),
)
LOGIN_EMPTY = Fault(
    "registry.login-empty",
    "the login to the registry received no password, or no user name",
    "The command that should print the token printed nothing, or a variable is empty, so no login was sent. The "
    "command's own error shows the cause.",
    Impact.PULL,
    (_WRONG_PASSWORD, causes.NO_CREDENTIALS, causes.CREDENTIALS_REJECTED, causes.EXECUTION_ROLE),
)
LOGIN_COMMAND = Fault(
    "client.login-command",
    "the login command does not fit the version of Docker or of the AWS CLI",
    "The client refused its own options, so no request was sent. aws ecr get-login exists only in version 1 of the AWS "
    "CLI, get-login-password in 1.17.10 and later.",  # AWS[aws-cli-login-commands]
    Impact.PULL,
    (
        replace(
            causes.MISCONFIGURED,
            title="the command is one of another version of Docker or of the AWS CLI",
            fix=advice("use the command of the current AWS CLI", _LOGIN),
            confirm=reads("aws --version", "docker --version", note="Run them where the login fails."),
        ),
        replace(
            causes.OLD_AGENT,
            title="Docker or the AWS CLI is too old for the command, or an older one comes first in PATH",
            fix=advice("update Docker and the AWS CLI where the login runs", "aws --version"),
            confirm=reads("aws --version", "docker --version", note="Run them where the login fails."),
        ),
    ),
)
NO_HELPER = Fault(
    "credentials.no-helper",
    "the credential helper for ECR is not installed where the client looks for it",
    "The client could not start it, so it sent no request for a token.",
    Impact.PULL,
    (causes.NO_CREDENTIAL_PROVIDER,),
    certain=True,
)
# The program is there.
HELPER_UNUSABLE = NO_HELPER.variant(
    title="the host cannot run the credential helper for ECR",
    why="Its file may not be executed, or is one for another platform, so the client got no token from it.",
    causes=(
        replace(
            causes.NO_CREDENTIAL_PROVIDER,
            title="the helper's file is not executable for this user, or was built for another platform",
            fix=advice(
                "install the helper for the host's platform, and let the user that runs the client execute the file "
                "that the error names",
            ),
        ),
        causes.MISCONFIGURED,
    ),
    certain=False,
)
NO_STORE_HELPER = NO_HELPER.variant(
    title="the credential helper that the client's settings name is not installed where the client looks for it",
    why="The client keeps its logins in a store (credsStore) whose program it could not start.",
    causes=(
        replace(
            causes.NO_CREDENTIAL_PROVIDER,
            title="config.json names a helper that is not installed here, so that the client has no login for ECR",
            fix=advice(
                "remove credsStore from ~/.docker/config.json, or install the helper that it names; then log in",
                _LOGIN,
            ),
        ),
        causes.MISCONFIGURED,
    ),
    certain=False,
)
HELPER_FAILED = Fault(
    "credentials.helper-failed",
    "the credential helper returned no token",
    "The text does not contain the helper's own error. It needs credentials of AWS and a path to ecr.api.",
    Impact.PULL,
    (
        causes.NO_CREDENTIALS,
        causes.EXECUTION_ROLE,
        causes.MISSING_ECR_API,
        causes.NO_CREDENTIAL_PROVIDER,
        causes.NO_ROUTE,
    ),
)
HELPER_SILENT = HELPER_FAILED.variant(
    why="The client stopped waiting for it. The helper waited for credentials of AWS or for ecr.api.",
    causes=(
        causes.NO_CREDENTIALS,
        causes.MISSING_ECR_API,
        causes.NO_ROUTE,
        causes.IMDS_HOP_LIMIT,
        causes.SECURITY_GROUP,
        causes.PROXY,
    ),
)
_STORE_CLOSED = replace(
    causes.MISCONFIGURED,
    title="the client keeps logins in a store (credsStore) that is locked, missing or cannot be written here",
    fix=advice(
        "remove credsStore from ~/.docker/config.json, so that logins are kept in this file, or unlock the store; with "
        "ECR's own helper leave out docker login, because the helper stores nothing",
        "docker logout {registry}",
        note="A session without a screen, such as a CI job or SSH, cannot unlock a keychain.",
    ),
    confirm=reads("docker-credential-ecr-login version", note="Read credsStore and credHelpers in config.json."),
)
LOGIN_STORE = Fault(
    "credentials.login-store",
    "the client cannot use the store in which it keeps logins",
    "The error is one of the store on the client's host: a keychain, pass, or a helper that stores nothing. Network "
    "and permissions are not involved, and the login itself may have succeeded.",
    Impact.PULL,
    (_STORE_CLOSED, causes.NO_CREDENTIAL_PROVIDER),
)
# Windows' store takes at most 2,560 bytes for a credential.
STORE_TOO_SMALL = LOGIN_STORE.variant(
    why=(
        "The store of Windows refused the entry; it takes only short ones, and ECR's tokens are long. The login itself "
        "may have succeeded."
    ),
    causes=(
        causes.other(
            "the token is longer than an entry of the store of Windows may be",
            advice(
                "remove credsStore from config.json, so that logins are kept in this file, or use ECR's own helper",
                _LOGIN,
            ),
            reads("docker-credential-wincred list", note="Read credsStore and credHelpers in config.json."),
        ),
        _STORE_CLOSED,
        causes.NO_CREDENTIAL_PROVIDER,
    ),
)
_UNFIT_PROVIDER = replace(
    causes.NO_CREDENTIAL_PROVIDER,
    title="the kubelet runs another program or version than its configuration describes, or without its variables",
    fix=advice(
        "install the ecr-credential-provider of the kubelet's version, and name its apiVersion, arguments and "
        "variables in the file of --image-credential-provider-config",
        "kubectl get --raw /api/v1/nodes/NODE/proxy/configz",
        note="docker-credential-ecr-login is a helper of Docker, which the kubelet cannot use.",
    ),
    confirm=reads(
        "journalctl --unit kubelet --since '-1 hour'", note="Run it on the node. It shows what the provider printed."
    ),
)
PROVIDER_UNFIT = Fault(
    "credentials.provider-unfit",
    "the kubelet and its credential provider do not understand each other",
    "The provider ran, and one of the two could not read what the other one sent. No token was requested.",
    Impact.PULL,
    (_UNFIT_PROVIDER, causes.MISCONFIGURED, causes.OLD_AGENT),
)
# An exit status without the provider's own words.
PROVIDER_FAILED = Fault(
    "credentials.helper-failed",
    "the kubelet's credential provider failed",
    "The kubelet ran it, and it ended with an error that the text does not contain. It needs the kubelet's apiVersion, "
    "its own variables, credentials of AWS and a path to ecr.api.",
    Impact.PULL,
    (_UNFIT_PROVIDER, causes.NO_CREDENTIALS, causes.EXECUTION_ROLE, causes.MISSING_ECR_API, causes.NO_ROUTE),
)
HOST_UNRECOGNISED = Fault(
    "client.host-not-recognized",
    "the client does not recognize the registry's host as one of ECR",
    "The client takes account and region from the host's name. It does not know every form of the name and every "
    "partition, and an older version knows fewer. No request was sent.",
    Impact.PULL,
    (causes.UNRECOGNISED_HOST, causes.MISCONFIGURED, causes.BAD_IMAGE_REFERENCE),
)
_HELPER_FOR_ALL = replace(
    causes.MISCONFIGURED,
    title="the client's configuration sends every registry to ECR's helper (credsStore), also those that are not ECR's",
    fix=advice(
        "list the helper under credHelpers with {account}.dkr.ecr.{region}.{suffix}, and not as credsStore",
        "docker-credential-ecr-login list",
        note="The file is ~/.docker/config.json of the user that runs the client; other clients have their "
        "own setting.",
    ),
    confirm=reads("docker-credential-ecr-login version", note="Read credsStore and credHelpers in config.json."),
)
HELPER_OF_ALL = HOST_UNRECOGNISED.variant(
    title="ECR's credential helper is asked for a registry that is not ECR's",
    why="The helper accepts only hosts of ECR, and ends before any request for the others.",
    causes=(_HELPER_FOR_ALL, causes.UNRECOGNISED_HOST, causes.BAD_IMAGE_REFERENCE),
)
# ECR's helper, asked for a host that does not have ECR's form.
_FOREIGN_HELP = re.compile(r"(?is)\A(?!.*\bdkr[.-]ecr\b).*(?:serverurl|login.{0,200}can only be used with amazon)")
_SANDBOX_OF_EKS = re.compile(r"sandbox image .{0,200}/pause\b")


_STUB = re.compile("stub received bad data", re.IGNORECASE)
_OTHER_HELPER = re.compile(r"docker-credential-(?!ecr)")


def _not_started(_evidence: Evidence, step: Step) -> Case | None:
    if says(step, _OTHER_HELPER):
        return Case(NO_STORE_HELPER)
    return Case(HELPER_UNUSABLE) if step.failure is Failure.PROHIBITED else None


def _store(_evidence: Evidence, step: Step) -> Case | None:
    return Case(STORE_TOO_SMALL) if says(step, _STUB) else None


def _silent(_evidence: Evidence, step: Step) -> Case | None:
    return Case(HELPER_SILENT) if step.failure is Failure.TIMEOUT else None


def _other_region(evidence: Evidence, _step: Step) -> Case | None:
    return Case(LOGIN_OF_OTHER_REGION) if any(map(evidence.is_foreign, evidence.plan.endpoints)) else None


def _other_registry(_evidence: Evidence, step: Step) -> Case | None:
    return Case(HELPER_OF_ALL) if says(step, _FOREIGN_HELP) else None


MEANINGS = {
    Subject.LOGIN: Meaning(LOGIN_MALFORMED, ("ecr.dkr",), variants=(LOGIN_OF_OTHER_REGION,), case=_other_region),
    Subject.LOGIN_EMPTY: Meaning(LOGIN_EMPTY),
    Subject.LOGIN_COMMAND: Meaning(LOGIN_COMMAND),
    Subject.LOGIN_STORE: Meaning(LOGIN_STORE, variants=(STORE_TOO_SMALL,), case=_store),
    Subject.HELPER_MISSING: Meaning(NO_HELPER, variants=(HELPER_UNUSABLE, NO_STORE_HELPER), case=_not_started),
    Subject.HELPER_FAILED: Meaning(HELPER_FAILED, variants=(HELPER_SILENT,), case=_silent),
    Subject.PROVIDER_FAILED: Meaning(PROVIDER_FAILED),
    Subject.PROVIDER_UNFIT: Meaning(PROVIDER_UNFIT),
    Subject.HOST_UNRECOGNISED: Meaning(HOST_UNRECOGNISED, variants=(HELPER_OF_ALL,), case=_other_registry),
}


@finds(NO_TOKEN, NO_LOGIN, NO_LOGIN_OF_USER, NO_LOGIN_OF_SANDBOX, basis=Basis.TEXT)
def missing_tokens(evidence: Evidence) -> Iterator[Finding]:
    """Requests to a registry without a token."""
    steps = [step for step in evidence.failed(Action.CHALLENGE) if step.failure is Failure.NO_CREDENTIALS]
    if steps:
        dual = any("dkr-ecr." in endpoint.host for endpoint in evidence.plan.endpoints)
        by_user = evidence.client in (Client.RUNTIME, Client.PUSH)
        fault = NO_TOKEN if evidence.client is Client.ECS else NO_LOGIN_OF_USER if by_user else NO_LOGIN
        if any(_SANDBOX_OF_EKS.search(step.detail or "") for step in steps):
            fault = NO_LOGIN_OF_SANDBOX
        suspects = fault.suspects.first(causes.UNRECOGNISED_HOST) if dual else fault.suspects
        yield finding(fault, evidence, steps, endpoints=("ecr.api", "ecr.dkr"), suspects=suspects)
