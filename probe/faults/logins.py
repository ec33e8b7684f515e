"""Faults of a client's login to ECR before the pull, which only error texts show: the password, the provider, the host.

The clients find out by the host's name that a registry is ECR, and what they send as the password is what a command or
a provider printed. Sources: issues of aws/aws-cli on logins; kubelet pkg/credentialprovider/plugin; the
ecr-credential-provider of cloud-provider-aws; amazon-ecr-credential-helper; docker/login-action src/aws.ts.
"""

from __future__ import annotations

from probe.faults import causes
from probe.faults.causes import advice, reads
from probe.faults.fault import Fault
from probe.model import Impact
from probe.records import replace

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
    "the login to the registry received no password",
    "The command that should print the token printed nothing, so no login was sent. Its own error shows the cause.",
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
