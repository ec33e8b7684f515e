# What ecr-probe smoke runs: two roles, a log group and a task definition. Optionally a schedule with its alarms (alarms.tf)
# and the sidecar as a service (sidecar.tf). A verdict is a line of JSON in each log stream; the container's exit code
# summarizes it.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region
  tags      = merge(var.tags, { application = "ecr-probe" })
  scheduled = var.schedule_expression != ""
  cluster   = "arn:${local.partition}:ecs:${local.region}:${local.account}:cluster/${var.cluster}"
  image     = "${local.account}.dkr.ecr.${local.region}.${data.aws_partition.current.dns_suffix}/${var.repository}${var.image_version}"

  permissions_boundary = var.permissions_boundary == "" ? null : var.permissions_boundary

  placeholders = {
    ACCOUNT_ID = local.account
    REGION     = local.region
    VPC_CIDR   = join(",", var.vpc_cidrs)
  }

  # The files are for the partition aws, and for the names that the README uses.
  policies = {
    for name in ["task-role", "execution-role", "trust-ecs-tasks"] : name => replace(
      replace(
        replace(
          templatefile("${path.module}/../../iam/${name}.json", local.placeholders),
          "arn:aws:", "arn:${local.partition}:",
        ),
        "repository/ecr-probe", "repository/${var.repository}",
      ),
      "log-group:/ecs/ecr-probe:", "log-group:${var.log_group_name}:",
    )
  }

  task_definitions = {
    for name in ["smoke", "fargate-check", "fargate-sidecar"] :
    name => jsondecode(templatefile("${path.module}/../../${name}.json", local.placeholders))
  }

  # The probe's container of each file, with this image and log group.
  containers = {
    for name, definition in local.task_definitions : name => merge(
      one([for container in definition.containerDefinitions : container if container.name == "ecr-probe"]),
      {
        image = local.image
        logConfiguration = {
          logDriver = "awslogs"
          options = merge(
            one([for container in definition.containerDefinitions : container if container.name == "ecr-probe"]).logConfiguration.options,
            { "awslogs-group" = aws_cloudwatch_log_group.verdicts.name },
          )
        }
      },
    )
  }
}

resource "aws_cloudwatch_log_group" "verdicts" {
  #checkov:skip=CKV_AWS_158:Verdicts contain no secret, and a key would be one more thing that can stop the log.
  #checkov:skip=CKV_AWS_338:A year of verdicts is the user's choice: log_retention_days.
  name              = var.log_group_name
  retention_in_days = var.log_retention_days
  tags              = local.tags
}

# What the probe itself may do. iam/README.md gives the reason of each statement.
resource "aws_iam_role" "task" {
  name_prefix          = "${var.name}-task-"
  assume_role_policy   = local.policies["trust-ecs-tasks"]
  permissions_boundary = local.permissions_boundary
  tags                 = local.tags
}

resource "aws_iam_role_policy" "task" {
  name   = "ecr-probe"
  role   = aws_iam_role.task.id
  policy = local.policies["task-role"]
}

# AWS[ecr-pull-time-exclusions]
resource "aws_ecr_pull_time_update_exclusion" "task" {
  count = var.record_pull_time ? 0 : 1

  principal_arn = aws_iam_role.task.arn
}

# What ECS may do to start it.
resource "aws_iam_role" "execution" {
  name_prefix          = "${var.name}-execution-"
  assume_role_policy   = local.policies["trust-ecs-tasks"]
  permissions_boundary = local.permissions_boundary
  tags                 = local.tags
}

resource "aws_iam_role_policy" "execution" {
  name   = "ecr-probe"
  role   = aws_iam_role.execution.id
  policy = local.policies["execution-role"]
}

# As smoke.json, for ecr-probe smoke.
resource "aws_ecs_task_definition" "smoke" {
  family                   = local.task_definitions["smoke"].family
  task_role_arn            = aws_iam_role.task.arn
  execution_role_arn       = aws_iam_role.execution.arn
  network_mode             = local.task_definitions["smoke"].networkMode
  requires_compatibilities = local.task_definitions["smoke"].requiresCompatibilities
  cpu                      = local.task_definitions["smoke"].cpu
  memory                   = local.task_definitions["smoke"].memory
  container_definitions    = jsonencode([local.containers["smoke"]])
  tags                     = local.tags

  runtime_platform {
    cpu_architecture        = var.cpu_architecture
    operating_system_family = "LINUX"
  }
}
