# The alarms of the schedule. A schedule that is disabled gives no verdict, and has none.

locals {
  alarmed   = local.scheduled && var.schedule_state == "ENABLED" && (var.alarm_topic_arn != "" || var.alarm_email != "")
  own_topic = local.alarmed && var.alarm_email != ""
  receivers = concat(var.alarm_topic_arn == "" ? [] : [var.alarm_topic_arn], aws_sns_topic.alarms[*].arn)
  namespace = "EcrProbe/${var.name}"

  # Filter patterns: AWS[log-filter-patterns].
  failing = {
    "fail"                 = "$.status = \"fail\""
    "fail-or-inconclusive" = "($.status = \"fail\" || $.status = \"inconclusive\")"
    "not-pass"             = "$.status != \"pass\""
  }[var.alarm_statuses]

  # The service of a task that belongs to none is its family. Other lines of the log group do not count: the verdicts of
  # smoke, and the sidecar's log.
  of_schedule = "$.surroundings.service = \"${local.task_definitions["fargate-check"].family}\""
}

# CloudWatch cannot publish to a topic that is encrypted with AWS's own key, so this one is not: AWS[sns-topic-encryption].
# A message names the alarm and its reason; it contains no verdict.
resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:CloudWatch cannot publish to a topic that is encrypted with the key alias/aws/sns.
  count = local.own_topic ? 1 : 0

  name_prefix = "${var.name}-alarms-"
  tags        = local.tags
}

resource "aws_sns_topic_subscription" "email" {
  count = local.own_topic ? 1 : 0

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

resource "aws_cloudwatch_log_metric_filter" "failing_verdicts" {
  count = local.alarmed ? 1 : 0

  name           = "${var.name}-failing-verdicts"
  log_group_name = aws_cloudwatch_log_group.verdicts.name
  pattern        = "{ ${local.of_schedule} && ${local.failing} }"

  metric_transformation {
    namespace     = local.namespace
    name          = "FailingVerdicts"
    value         = "1"
    default_value = "0"
    unit          = "Count"
  }
}

resource "aws_cloudwatch_log_metric_filter" "verdicts" {
  count = local.alarmed ? 1 : 0

  name           = "${var.name}-verdicts"
  log_group_name = aws_cloudwatch_log_group.verdicts.name
  pattern        = "{ ${local.of_schedule} }"

  metric_transformation {
    namespace = local.namespace
    name      = "Verdicts"
    value     = "1"
    unit      = "Count"
  }
}

# It stays in ALARM until a run has a better verdict, for which the filter reports 0: AWS[log-metric-default].
resource "aws_cloudwatch_metric_alarm" "failing" {
  count      = local.alarmed ? 1 : 0
  depends_on = [aws_cloudwatch_log_metric_filter.failing_verdicts]

  alarm_name = "${var.name}-failing"
  alarm_description = join(" ", [
    "Cluster ${var.cluster}: a scheduled run of ecr-probe has the verdict ${var.alarm_statuses}. Its line of JSON is in the log",
    "group ${var.log_group_name}, streams fargate-check/; ecr-probe explain shows the cause and the fix.",
  ])
  namespace           = local.namespace
  metric_name         = "FailingVerdicts"
  statistic           = "Sum"
  period              = var.alarm_period_seconds
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  treat_missing_data  = "ignore"
  alarm_actions       = local.receivers
  ok_actions          = local.receivers
  tags                = local.tags
}

# A task with an image that cannot be pulled writes no log, so missing data is breaching. A new alarm is in ALARM until the
# first verdict: AWS[alarm-missing-data].
resource "aws_cloudwatch_metric_alarm" "silence" {
  count      = local.alarmed ? 1 : 0
  depends_on = [aws_cloudwatch_log_metric_filter.verdicts]

  alarm_name = "${var.name}-silence"
  alarm_description = join(" ", [
    "Cluster ${var.cluster}: ecr-probe had no verdict in three periods of its schedule. Either its tasks do not start, which",
    "can be the fault that it looks for, or their log does not arrive. Read the stopped reason of the tasks of",
    "ecr-probe-fargate-check in ECS; ecr-probe explain reads it too.",
  ])
  namespace           = local.namespace
  metric_name         = "Verdicts"
  statistic           = "Sum"
  period              = var.alarm_period_seconds
  evaluation_periods  = 3
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = local.receivers
  ok_actions          = local.receivers
  tags                = local.tags
}
