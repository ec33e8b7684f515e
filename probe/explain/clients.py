"""Who pulls or pushes in an error text, by its words. Pure.

Names of images and roles may contain the name of a service in lower case, so its own spelling counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from probe.faults.subjects import Subject
from probe.model import Client

_PUSH = re.compile(
    r"(?i:the push refers to|(?:failed|unable) to push|error pushing|pushing (?:image|manifest|layer)|"
    r"checking push permission|\b(?:docker|podman|buildah|crane|"
    r"finch|nerdctl) push\b|\b(?:put|post|patch)\b[ \"']{1,3}(?:request to )?[\"']?https?://\S{1,300}/(?:manifests|"
    r"blobs/uploads)|/blobs/uploads\b|\btag[ _]invalid\b|cannot be overwritten because the \w{1,20} ?\w{0,20} is "
    r"immutable|retrying in \d{1,3} seconds?(?: \d{1,6} \|)?\s{1,3}eof\b|please login prior "
    r"to push|failed commit on ref .{1,200}unexpected status)"
    r"|\becr:(?:InitiateLayerUpload|UploadLayerPart|CompleteLayerUpload|PutImage)\b"
    r"|\bcalling the (?:InitiateLayerUpload|UploadLayerPart|CompleteLayerUpload|PutImage) operation"
    r"|\b(?:ImageTagAlreadyExists|ImageAlreadyExists|LayersNotFound|InvalidLayer(?:Part)?|LayerPartTooSmall|"
    r"UploadNotFound|LayerAlreadyExists|EmptyUpload)Exception"
)
_PULL_ACTIONS = (
    "GetAuthorizationToken|BatchGetImage|GetDownloadUrlForLayer|BatchCheckLayerAvailability|BatchImportUpstreamImage"
)
# In this order: a build that CodeBuild runs may push, and the tasks of Batch are ECS's.
_CLIENTS = (
    (Client.BATCH, re.compile(r"\barn:aws[\w-]{0,20}:batch:|\bAWS Batch\b")),
    (Client.CODEBUILD, re.compile(r"BUILD_CONTAINER_UNABLE_TO_PULL_IMAGE")),
    (
        Client.ECS,
        re.compile(
            r"\bCannot[A-Z]\w{1,60}Error\b|DockerTimeoutError|DockerGoClient|ecs-(?:agent|init)\b|\bResourceInitializationError\b"
            r"|\(service [\w-]{1,255}[,)]"
            r"|\barn:aws[\w-]{0,20}:ecs:"
        ),
    ),
    (Client.PUSH, _PUSH),
    (Client.CODEBUILD, re.compile(r"CodeBuild|codebuild\.amazonaws|\[Container\] \d{4}/")),
    (
        Client.LAMBDA,
        re.compile(
            r"\bLambda\b|\b(?:CreateFunction|UpdateFunctionCode)|Service: (?:Aws)?Lambda\b"
            r"|AWS::Lambda::Function|\baws_lambda_function\b|lambda\.amazonaws\.com"
            r"|\b[Ff]unction does not have permission to access|\b[Ss]ource image \S{1,400} (?:is|does) not\b"
            r"|media type for the source image|\bImageLayerFailure\b|\b(?:State|LastUpdateStatus)ReasonCode\b"
        ),
    ),
    (
        Client.APP_RUNNER,
        re.compile(
            r"App ?Runner\b|AWS::AppRunner|apprunner\.amazonaws|Access Role in AuthenticationConfiguration"
            r"|\bsourceConfiguration\.imageRepository\b"
        ),
    ),
    (
        Client.SAGEMAKER,
        re.compile(
            r"SageMaker|sagemaker\.amazonaws|Vpc repository access mode|algorithm container|\bsagemaker:[A-Z]"
            r"|\bCreate(?:Model|TrainingJob|ProcessingJob)\b"
        ),
    ),
    (
        Client.KUBERNETES,
        re.compile(
            r"\bTaskRun\b|translating TaskSpec|task run pod"  # Tekton
            r"|(?i:\bkubelet\b|kubectl|\bpods?/)|ErrImagePull|ImagePullBackOff|\bFailed to pull image \""
            r"|Back-off pulling|kuberuntime|[Ss]andbox|pod_workers|credential provider plugin|\bcri-?o\b|\bcrictl\b"
            r"|rpc error: code = \w{1,20} desc = failed to (?:pull and unpack|get sandbox)|image ?[Pp]ull ?[Ss]ecrets"
        ),
    ),
    (Client.API, re.compile(rf"not authorized to perform: ecr:(?!(?:{_PULL_ACTIONS})\b)\w")),
    (
        Client.RUNTIME,
        re.compile(
            r"ERROR: (?:Preparation|Job) failed|with specified policies|gitlab-runner|\bpodman\b|\bskopeo\b|\bbuildah\b"
            r"|initializing source docker://|unable to retrieve auth token|failed to solve|\bbuildkit\b|\bbuildx\b"
            r"|failed to resolve source metadata|\balloc \"|Driver Failure|\bsoci\b|SOCI artifacts"
            r"|Error response from daemon|\bdockerd?\b|docker-credential-"
            r"|\boci://|\bchart (?:pull|reference)\b|download chart"
            r"|\b(?:helm|oras|crane) (?:pull|install|upgrade|copy|cp|template|manifest)\b"
            r"|credential required for basic auth"
            r"|\bcloud\.tools\.jib\b|\bkaniko\b|\bctr: |status from (?:GET|HEAD|PUT|POST) request"
        ),
    ),
)


# Of a text whose own words name no client, or only a tool that both pulls and pushes.
_BY_SUBJECT = {
    Client.PUSH: (Subject.TAG_IMMUTABLE, Subject.QUOTA, Subject.MANIFEST_REFUSED, Subject.CONTENT_MISSING),
    Client.APP_RUNNER: (Subject.ACCESS_ROLE,),
    Client.CODEBUILD: (Subject.BUILD_IMAGE, Subject.BUILD_SETTINGS),
    Client.KUBERNETES: (Subject.PROVIDER_FAILED, Subject.PROVIDER_UNFIT, Subject.PULL_LIMIT),
    Client.RUNTIME: (
        Subject.LOGIN,
        Subject.LOGIN_EMPTY,
        Subject.LOGIN_COMMAND,
        Subject.LOGIN_STORE,
        Subject.HELPER_MISSING,
        Subject.HELPER_FAILED,
        Subject.HOST_UNRECOGNISED,
    ),
}


def client_of_subjects(named: Client | None, subjects: Iterable[Subject | None]) -> Client | None:
    """The client that a text names, else the only one that has failures of these kinds."""
    if named not in (None, Client.RUNTIME):
        return named
    subjects = set(subjects)
    return next((client for client, own in _BY_SUBJECT.items() if subjects & set(own)), named)


def client_of(text: str) -> Client | None:
    """The client that a text is about; None where it does not say."""
    return next((client for client, words in _CLIENTS if words.search(text)), None)


def is_push(text: str) -> bool:
    """Whether a text is about a push."""
    return _PUSH.search(text) is not None
