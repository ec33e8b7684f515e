# As fargate-check.json, for the schedule.
resource "aws_ecs_task_definition" "check" {
  count = local.scheduled ? 1 : 0

  family                   = local.task_definitions["fargate-check"].family
  task_role_arn            = aws_iam_role.task.arn
  execution_role_arn       = aws_iam_role.execution.arn
  network_mode             = local.task_definitions["fargate-check"].networkMode
  requires_compatibilities = local.task_definitions["fargate-check"].requiresCompatibilities
  cpu                      = local.task_definitions["fargate-check"].cpu
  memory                   = local.task_definitions["fargate-check"].memory
  container_definitions    = jsonencode([local.containers["fargate-check"]])
  tags                     = local.tags

  runtime_platform {
    cpu_architecture        = var.cpu_architecture
    operating_system_family = "LINUX"
  }
}

resource "aws_iam_role" "schedule" {
  count = local.scheduled ? 1 : 0

  name_prefix = "${var.name}-schedule-"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "SchedulesOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "scheduler.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
  permissions_boundary = local.permissions_boundary
  tags                 = local.tags
}

resource "aws_iam_role_policy" "schedule" {
  count = local.scheduled ? 1 : 0

  name = "run-ecr-probe"
  role = aws_iam_role.schedule[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "RunProbe"
        Effect = "Allow"
        Action = "ecs:RunTask"
        # Only the revision that this module creates.
        Resource  = aws_ecs_task_definition.check[0].arn
        Condition = { ArnEquals = { "ecs:cluster" = local.cluster } }
      },
      {
        Sid       = "PassRoles"
        Effect    = "Allow"
        Action    = "iam:PassRole"
        Resource  = [aws_iam_role.task.arn, aws_iam_role.execution.arn]
        Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
      },
    ]
  })
}

resource "aws_scheduler_schedule" "check" {
  #checkov:skip=CKV_AWS_297:The schedule holds names and ARNs only.
  count = local.scheduled ? 1 : 0

  name                = var.name
  description         = "Proves that images can be pulled from Amazon ECR"
  schedule_expression = var.schedule_expression
  state               = var.schedule_state

  flexible_time_window {
    mode = "OFF"
  }

  target {
    arn      = local.cluster
    role_arn = aws_iam_role.schedule[0].arn

    ecs_parameters {
      task_definition_arn = aws_ecs_task_definition.check[0].arn
      task_count          = 1
      launch_type         = "FARGATE"

      network_configuration {
        subnets          = var.subnet_ids
        security_groups  = var.security_group_ids
        assign_public_ip = false
      }
    }

    # A run that could not start is not repeated, since the next one is soon.
    retry_policy {
      maximum_retry_attempts = 0
    }
  }

  lifecycle {
    precondition {
      condition     = length(var.subnet_ids) > 0 && length(var.security_group_ids) > 0
      error_message = "subnet_ids and security_group_ids are required with schedule_expression."
    }
  }
}
