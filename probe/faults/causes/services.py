"""Causes in CloudWatch Logs, limits, and AWS itself."""

from __future__ import annotations

from probe.faults.causes.cause import DESCRIBE_TASK, REGISTER, CauseText, advice, read_task_definition, reads

THROTTLE = CauseText(
    code="throttle",
    title="too many requests in a short time",
    fix=advice(
        "start fewer tasks at once, reuse tokens, or request a higher quota",
        "aws service-quotas request-service-quota-increase --region {region} --service-code ecr "
        "--quota-code QUOTA_CODE --desired-value VALUE",
    ),
    confirm=reads("aws service-quotas list-service-quotas --region {region} --service-code ecr"),
)
LOG_GROUP_MISSING = CauseText(
    code="logs.group-missing",
    title="the log group was never created, or was deleted",
    fix=advice(
        "create the log group {group}", "aws logs create-log-group --region {log_region} --log-group-name {group}"
    ),
    confirm=reads("aws logs describe-log-groups --region {log_region} --log-group-name-prefix {group}"),
)
LOG_REGION = CauseText(
    code="logs.misconfigured-region",
    title="awslogs-region is not the intended region",
    fix=advice("correct awslogs-region in logConfiguration.options of the task definition", REGISTER),
    confirm=read_task_definition("containerDefinitions[].logConfiguration"),
)
AWS_OUTAGE = CauseText(
    code="aws.service-error",
    title="AWS is having an outage",
    fix=advice(
        "wait until AWS has resolved the outage, then pull again",
        "aws health describe-events --region us-east-1",
        note="The command lists known outages.",
    ),
    confirm=reads(
        "aws health describe-events --region us-east-1 --filter services=ECR",
        note="It needs a support plan; without one, read https://health.aws.amazon.com/health/status.",
    ),
)
OTHER = CauseText(
    code="other",
    title="a cause that ecr-probe does not know",
    fix=advice(
        "read the steps of this finding (-v), and run the check again",
        DESCRIBE_TASK,
        note="The command shows what ECS reports.",
    ),
    confirm=reads(DESCRIBE_TASK),
)
