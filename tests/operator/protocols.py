"""AWS's wire protocols, as a server speaks them: requests are parsed and replies written by botocore's service models.

An object with a member that the model does not know is refused, so that simulated objects have the API's own shape.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

from botocore.model import OperationModel, ServiceModel, Shape

from probe.safe_words import json_bytes
from tests.http_server import Reply, Request

# ---- requests --------------------------------------------------------------------------------------------------------


def signed_for(request: Request) -> tuple[str, str]:
    """The Region and the signing name: "AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, ..."."""
    _, _, region, service, *_ = request.headers["Authorization"].partition("Credential=")[2].split("/")
    return region, service


def parsed(request: Request, model: ServiceModel) -> tuple[OperationModel, dict[str, Any]]:
    """The operation of a request and its parameters."""
    match model.resolved_protocol:
        case "json":
            operation = model.operation_model(request.headers["X-Amz-Target"].rpartition(".")[2])
            return operation, json.loads(request.body or b"{}")
        case "query" | "ec2":
            form = {key: values[0] for key, values in parse_qs(request.body.decode(), keep_blank_values=True).items()}
            operation = model.operation_model(form["Action"])
            is_ec2 = model.resolved_protocol == "ec2"
            return operation, _structure(operation.input_shape, form, "", is_ec2) if operation.input_shape else {}
        case _:
            return _of_path(request, model)


def _of_path(request: Request, model: ServiceModel) -> tuple[OperationModel, dict[str, Any]]:
    url = urlsplit(request.target)
    query = {key: values[0] for key, values in parse_qs(url.query, keep_blank_values=True).items()}
    for name in model.operation_names:
        operation = model.operation_model(name)
        path = operation.http["requestUri"].partition("?")[0]
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/?]+)", re.escape(path))
        found = re.fullmatch(pattern, url.path)
        if operation.http["method"] != request.method or found is None:
            continue
        parameters: dict[str, Any] = json.loads(request.body) if request.body else {}
        for member, shape in operation.input_shape.members.items():
            wire = shape.serialization.get("name", member)
            places = {"uri": found.groupdict(), "querystring": query}.get(shape.serialization.get("location"), {})
            if wire in places:
                parameters[member] = _scalar(shape, unquote(places[wire]))
        return operation, parameters
    raise KeyError(request.target)


def _structure(shape: Shape, form: Mapping[str, str], prefix: str, is_ec2: bool) -> dict[str, Any]:
    values = {}
    for name, member in shape.members.items():
        key = f"{prefix}{_form_name(name, member, is_ec2)}"
        if any(field == key or field.startswith(f"{key}.") for field in form):
            values[name] = _value(member, form, key, is_ec2)
    return values


def _form_name(name: str, shape: Shape, is_ec2: bool) -> str:
    if not is_ec2:
        return str(shape.serialization.get("name", name))
    wire = str(shape.serialization.get("name", name))
    return str(shape.serialization.get("queryName") or wire[0].upper() + wire[1:])


def _value(shape: Shape, form: Mapping[str, str], key: str, is_ec2: bool) -> Any:
    if shape.type_name == "structure":
        return _structure(shape, form, f"{key}.", is_ec2)
    if shape.type_name != "list":
        return _scalar(shape, form[key])
    flat = is_ec2 or shape.serialization.get("flattened")
    prefix = key if flat else f"{key}.{shape.member.serialization.get('name', 'member')}"
    numbers = sorted({int(field[len(prefix) + 1 :].split(".")[0]) for field in form if field.startswith(f"{prefix}.")})
    return [_value(shape.member, form, f"{prefix}.{number}", is_ec2) for number in numbers]


def _scalar(shape: Shape, text: str) -> Any:
    if shape.type_name in ("integer", "long"):
        return int(text)
    return text == "true" if shape.type_name == "boolean" else text


# ---- replies ---------------------------------------------------------------------------------------------------------


def answered(reply: Mapping[str, Any], operation: OperationModel) -> Reply:
    """A reply in the protocol of its service."""
    shape, protocol = operation.output_shape, operation.service_model.resolved_protocol
    if protocol in ("json", "rest-json"):
        kind = "application/json" if protocol == "rest-json" else "application/x-amz-json-1.1"
        return Reply(200, kind, json_bytes(_json(shape, reply) if shape else {}))
    content = "".join(_xml_members(shape, reply)) if shape else ""
    wrapper = shape.serialization.get("resultWrapper") if shape else None
    if protocol == "rest-xml":
        name = shape.serialization.get("name", shape.name)
        return Reply(200, "text/xml", f"<{name}>{content}</{name}>".encode())
    request_id = "<requestId>0</requestId>" if protocol == "ec2" else ""
    content = f"<{wrapper}>{content}</{wrapper}>" if wrapper else content
    name = f"{operation.name}Response"
    return Reply(200, "text/xml", f"<{name}>{request_id}{content}</{name}>".encode())


def refused(code: str, message: str, status: int, model: ServiceModel) -> Reply:
    """An error in the protocol of the service."""
    error = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    match model.resolved_protocol:
        case "ec2":
            text = f"<Response><Errors>{error}</Errors><RequestID>0</RequestID></Response>"
        case "query" | "rest-xml":
            text = f"<ErrorResponse>{error}<RequestId>0</RequestId></ErrorResponse>"
        case _:
            body = json_bytes({"__type": code, "message": message})
            return Reply(status, "application/x-amz-json-1.1", body, {"x-amzn-ErrorType": code})
    return Reply(status, "text/xml", text.encode())


def _check_members(shape: Shape, value: Mapping[str, Any]) -> None:
    unknown = value.keys() - shape.members.keys()
    if unknown:
        raise ValueError(f"{shape.name} has no member {', '.join(sorted(unknown))}")


def _json(shape: Shape, value: Any) -> Any:
    match shape.type_name:
        case "structure":
            _check_members(shape, value)
            return {
                shape.members[name].serialization.get("name", name): _json(shape.members[name], part)
                for name, part in value.items()
            }
        case "list":
            return [_json(shape.member, part) for part in value]
        case "map":
            return {name: _json(shape.value, part) for name, part in value.items()}
        case "timestamp":
            return value.timestamp() if isinstance(value, datetime) else value
        case _:
            return value


def _xml_members(shape: Shape, value: Mapping[str, Any]) -> Iterator[str]:
    _check_members(shape, value)
    for name, part in value.items():
        member = shape.members[name]
        yield from _xml(member, part, member.serialization.get("name", name))


def _xml(shape: Shape, value: Any, name: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            yield f"<{name}>{''.join(_xml_members(shape, value))}</{name}>"
        case "list" if shape.serialization.get("flattened"):
            for part in value:
                yield from _xml(shape.member, part, shape.member.serialization.get("name", name))
        case "list":
            inner = shape.member.serialization.get("name", "member")
            yield f"<{name}>{''.join(text for part in value for text in _xml(shape.member, part, inner))}</{name}>"
        case "map":
            entries = (
                f"<entry>{''.join(_xml(shape.key, key, 'key'))}{''.join(_xml(shape.value, part, 'value'))}</entry>"
                for key, part in value.items()
            )
            yield f"<{name}>{''.join(entries)}</{name}>"
        case "boolean":
            yield f"<{name}>{'true' if value else 'false'}</{name}>"
        case "timestamp":
            yield f"<{name}>{value.isoformat() if isinstance(value, datetime) else value}</{name}>"
        case _:
            # IAM sends a policy percent-encoded, and its clients decode it.
            text = quote(json.dumps(value)) if isinstance(value, dict) else str(value)
            yield f"<{name}>{escape(text)}</{name}>"
