"""Foreign text made safe to show: without secrets, control characters and log commands, and of limited length.

Foreign is all text that this program did not write: answers of servers, error texts of libraries, the task's metadata,
arguments and variables. Which function to use:

- `scrub` where a text enters the program as the detail of a step or error: it cuts secrets and shortens.
- `printable`, `printable_lines` and `shortened` where a text is printed: terminals, logs, reports, labels of metrics.
- `quoted` where an error message repeats an argument.
- `cut_secrets` where a part of a text is chosen to be scrubbed.
- `without` where a secret is known literally.
- `json_bytes` for every JSON document.

`health` and --help import this module only after a mistake; importing it compiles no pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any, Literal

LONGEST_DETAIL = 200  # characters that `scrub` leaves
_LONGEST_CUT_WORD = 60  # a word of more characters is cut in its middle, a shorter one is left out
_LONGEST_ARGUMENT = 80
_MOST_SCRUBBED = 8000  # characters of a foreign text that `scrub` looks at, half of them at each end
_CUT = "[cut]"

# The operations of Secrets Manager, as botocore lists them. Any other word behind "secretsmanager:" may be a secret.
SECRETS_MANAGER_ACTIONS = (
    "AssociateCrossAccountReplica",
    "BatchGetSecretValue",
    "CancelRotateSecret",
    "CreateSecret",
    "DeleteResourcePolicy",
    "DeleteSecret",
    "DescribeSecret",
    "DisassociateCrossAccountReplica",
    "GetRandomPassword",
    "GetResourcePolicy",
    "GetSecretValue",
    "ListResourcePolicies",
    "ListSecretVersionIds",
    "ListSecrets",
    "PutResourcePolicy",
    "PutSecretValue",
    "RemoveRegionsFromReplication",
    "ReplicateSecretToRegions",
    "RestoreSecret",
    "RotateSecret",
    "StopReplicationToReplica",
    "TagResource",
    "UntagResource",
    "UpdateSecret",
    "UpdateSecretVersionStage",
    "ValidateResourcePolicy",
)
_SECRETS = (
    # A signed query, also within a block page: everything after a question mark inside a word.
    (r"(?<=\S)\?[^\s\"'<>]+", f"?{_CUT}"),
    (r"(?<=//)[^\s/@\"'<>]+@", f"{_CUT}@"),  # a URL's login
    (r"(?i)((?:\b(?:proxy-)?authorization|cookie)[\"']?\s*[:=]).*", rf"\1 {_CUT}"),
    (r"(?i)\b(basic|bearer)\s+(?!realm=)(?=\S*[0-9+/=])[A-Za-z0-9+/=._~-]{6,}", rf"\1 {_CUT}"),
    (r"\b(?:AKIA|ASIA|ABIA|ACCA|AROA|AIDA)[A-Z0-9]{8,}", _CUT),
    (r"\beyJ[\w-]{10,}(?:\.[\w-]*)*", _CUT),
    # Docker's configuration, its command line and curl's, keys, and the tokens of GitHub, GitLab, Docker Hub and npm.
    (r"(?i)([\"'](?:auth|identitytoken)[\"']\s*:\s*[\"'])[^\"']+", rf"\1{_CUT}"),
    (r"(?i)(\blogin\s.{0,200}?\s-p\s*|(?:^|\s)(?:-u|--user)\s+[^\s:]+:)\S+", rf"\1{_CUT}"),
    (r"(-----BEGIN [A-Z ]*PRIVATE KEY-----).*", rf"\1 {_CUT}"),
    (r"\b(?:gh[opsur]_|github_pat_|glpat-|dckr_pat_|npm_)[\w-]{10,}", _CUT),
)
# A value behind its key. What comes before the key in its word does not matter (DB_PASSWORD), so no pattern repeats it.
_KEY = (
    r"(?:x-amz-[a-z0-9-]{1,60}|secret(?:-(?:access-)?key)?\w{0,40}|access[_-]?key(?:[_-]?id)?|api[_-]?key"
    r"|passw(?:or)?d\w{0,40}|passphrase|pwd|token|(?<![a-z])signature|credential|(?<![\w-])sig(?==))"
    r"(?:\\?[\"'])?\s*(?:=>|:=|[=:])\s*"
)
_FLAG = r"(?<![\w-])--(?:[\w-]{0,40}[_-])?(?:secret|api-?key|password|passphrase|token)[\"']?,?\s+"
_VALUE = (
    r"(?P<quote>(?:\\?[\"'])?)"
    r"(?:(?<=[\"'])(?=\S)(?:(?!(?P=quote))(?:\\.|[^\\])){1,1000}(?=(?P=quote))|[^\s\"',;&<>]+)"
)
# What looks like a key and a value and is not: the beginning of an ARN, an action, and an error code before a sentence.
_ARN_OF_A_SECRET = (
    r"\barn:aws[a-z-]{0,20}:secretsmanager:"
    r"(?:…|(?:\*|[a-z]{2}(?:-[a-z]{2,10}){1,3}-\d{1,2}):(?:…|(?:\*|\d{12}):(?:…|secret:)))"
)
_ACTION = (
    rf"\bsecretsmanager:(?:\*|(?-i:{'|'.join(SECRETS_MANAGER_ACTIONS)}))"
    r"(?=[)\]}.:]{0,4}(?:$|[\s,;&<>]|\\?[\"']))"
)
_ERROR_CODE = r"(?-i:\b(?:Expired|Invalid)Token: (?=(?:The|Your) [a-z]{1,20} [a-z]))"
_KEYED = rf"(?i)(?P<keep>{_ARN_OF_A_SECRET}|{_ACTION}|{_ERROR_CODE})|(?P<key>{_KEY}|{_FLAG}){_VALUE}"
# Long words that may be keys. ARNs and digests are long words too, and worth reading.
_ARN = r"\barn:aws[\w-]*:[^\s\"']{1,300}"
_ARN_TO_ACCOUNT = r"arn:aws[\w-]*:[^:]*:[^:]*:\d{12}:"
_REPEATED_ACTION = r"\ballows the [\w-]{2,40}:\w{2,60} action\b"  # the end of a denial; its beginning has the action
_BLOB = rf"(?P<keep>{_ARN}|\bsha256:[0-9a-f]{{64}}\b)|[A-Za-z0-9+/=]{{40,}}|[A-Za-z0-9+/=_-]{{100,}}"
# What readers of a log take for a command: GitHub's runner "::name …::" at the beginning of a line and "##[name"
# anywhere in it, Azure's agent "##vso[", TeamCity "##teamcity[".
_LOG_COMMAND = r"^(\s*):(?=:[\w-]+(?: .*)?::)|(?<=#)#(?=\w*\[)"


# ---- where a text enters the program --------------------------------------------------------------------------------


def scrub(text: str) -> str:
    """A foreign text as one printable line without secrets, of at most `LONGEST_DETAIL` characters.

    Of a longer text, ARNs are shortened first, so that a denial keeps what is denied. If that is not enough, the text
    keeps its beginning and its end, because AWS names the policy that denies at the end of its sentence.
    """
    text = _shorten_middle(text, _MOST_SCRUBBED, whole_words=True)
    lines = ("".join(letter if letter.isprintable() else " " for letter in line) for line in text.splitlines())
    text = " ".join(" ".join(map(cut_secrets, lines)).split())
    return _shorten_middle(_shorten_arns(text, LONGEST_DETAIL), LONGEST_DETAIL, longest_word=_LONGEST_CUT_WORD)


def without(secrets: Iterable[str], text: str) -> str:
    """`text` without secrets that are known literally."""
    for secret in secrets:
        text = text.replace(secret, _CUT)
    return text


@cache
def _compiled_secrets() -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(pattern), replacement) for pattern, replacement in _SECRETS)


def cut_secrets(line: str) -> str:
    """One foreign line without secrets, at its full length. What precedes a word can make it one."""
    for pattern, replacement in _compiled_secrets():
        line = pattern.sub(replacement, line)
    line = re.sub(_KEYED, lambda match: match["keep"] or f"{match['key']}{match['quote']}{_CUT}", line)
    return re.sub(_BLOB, lambda match: match["keep"] or (_CUT if _is_like_a_key(match[0]) else match[0]), line)


def _is_like_a_key(word: str) -> bool:
    """A key or token mixes cases. A path, which has no digits, is in one case or of short names."""
    if len(word) >= 100 or re.fullmatch(r"[0-9a-fA-F]+", word):
        return True
    mixed = bool(re.search("[A-Z]", word) and re.search("[a-z]", word))
    short_names = "//" not in word and max(map(len, word.split("/"))) < 16
    return mixed and (bool(re.search("[0-9+=]", word)) or not short_names)


def _shorten_arns(text: str, most: int) -> str:
    """`text` with its ARNs cut at the end of a part, so that it has at most `most` characters where that suffices.

    A denial names the principal first, whose ARN is cut first. The others keep their account as long as possible: also
    if the action must be left out where the sentence repeats it.
    """
    arns = list(dict.fromkeys(re.findall(_ARN, text))) if len(text) > most else []
    short = text
    for sentence in (text, re.sub(_REPEATED_ACTION, "allows …", text)) if arns else ():
        short = _cut_arns(_cut_arns(sentence, most, arns[:1], "arn:"), most, arns[1:], _ARN_TO_ACCOUNT)
        if len(short) <= most:
            return short
    return _cut_arns(short, most, re.findall(_ARN, short), "arn:")


def _cut_arns(text: str, most: int, arns: Iterable[str], least: str) -> str:
    for arn in arns:
        room = len(arn) - max(0, len(text) - most)
        if room < len(arn):
            text = text.replace(arn, _shortened_arn(arn.rstrip("…"), room, least), 1)
    return text


def _shortened_arn(arn: str, room: int, least: str) -> str:
    """The ARN in at most `room` characters, but with no less than the pattern `least` matches, if it does."""
    start = re.match(least, arn) or re.match("arn:", arn)
    end = max(arn.rfind(mark, 0, max(room - 1, 0)) for mark in ":/") + 1
    return f"{arn[: max(end, start.end() if start else 0)]}…"


def _shorten_middle(text: str, most: int, *, whole_words: bool = False, longest_word: int = 0) -> str:
    if len(text) <= most:
        return text
    middle = " … "
    end = most // 2
    head, tail = text[: most - end - len(middle)], text[-end:]
    if whole_words:  # half a token would no longer look like one
        head, tail = head.rpartition(" ")[0], tail.partition(" ")[2]
    elif longest_word:  # nor half a name or URL; a longer one is cut, so that something remains
        before, after = head.rfind(" "), tail.find(" ")
        head = head[:before] if before > len(head) - longest_word else head
        tail = tail[after:] if 0 <= after < longest_word else tail
    return f"{head.rstrip()}{middle}{tail.lstrip()}"


# ---- where a text is printed ----------------------------------------------------------------------------------------


def printable(text: str) -> str:
    """One line without control and format characters (escape sequences, reversed writing), lone surrogates and log
    commands. The number of characters stays, so that the columns of a table do."""
    if not text.isprintable():
        text = "".join(letter if letter.isprintable() else " " if letter.isspace() else "?" for letter in text)
    return re.sub(_LOG_COMMAND, r"\1?", text) if "::" in text or "##" in text else text


def printable_lines(text: str) -> str:
    """As `printable`, with the line breaks kept."""
    return "\n".join(map(printable, text.split("\n")))


def shortened(text: str, most: int) -> str:
    """Printable text of at most `most` characters."""
    text = printable(text[: most + 1])
    return text if len(text) <= most else text[: most - 1] + "…"


def without_login(text: str) -> str:
    """A user's argument without the login of a URL: that of --push-gateway may be given to the wrong flag.

    Cuts more than `scrub` does in a sentence, because a password may hold "/" and "@". A URL that was taken for a file
    name may have lost a slash: os.path.realpath makes http:/USER:PASSWORD@HOST of it.
    """
    return re.sub(r"(//|:/+)\S*@", rf"\1{_CUT}@", text)


def quoted(text: str) -> str:
    """A user's argument as an error message repeats it: quoted, short, without a login and control characters."""
    text = without_login(text)
    return repr(text if len(text) <= _LONGEST_ARGUMENT else text[: _LONGEST_ARGUMENT - 3] + "…")


# ---- JSON -----------------------------------------------------------------------------------------------------------


def json_bytes(value: Any, *, in_order: bool = False) -> bytes:
    """JSON in UTF-8, with a question mark for each character that UTF-8 cannot encode: a variable may hold any bytes.

    `in_order`: with the keys of every object sorted, so that equal values are equal documents.

    "##", with which a command to GitHub's runner may begin anywhere in a line, is escaped within its string.
    """
    import msgspec

    order: Literal["sorted"] | None = "sorted" if in_order else None
    try:
        document = msgspec.json.encode(value, order=order)
    except UnicodeEncodeError:
        document = msgspec.json.encode(_encodable(msgspec.to_builtins(value)), order=order)
    return document.replace(b"##", rb"#\u0023")


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode(errors="replace").decode()
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    return value
