# The probe of fargate-sidecar.json, alone in its task and therefore essential. To run it next to an application instead,
# merge the output sidecar_container_definition into your own task definition.

resource "aws_ecs_task_definition" "sidecar" {
  count = var.sidecar ? 1 : 0

  family                   = local.task_definitions["fargate-sidecar"].family
  task_role_arn            = aws_iam_role.task.arn
  execution_role_arn       = aws_iam_role.execution.arn
  network_mode             = local.task_definitions["fargate-sidecar"].networkMode
  requires_compatibilities = local.task_definitions["fargate-sidecar"].requiresCompatibilities
  cpu                      = local.task_definitions["fargate-sidecar"].cpu
  memory                   = local.task_definitions["fargate-sidecar"].memory
  tags                     = local.tags

  container_definitions = jsonencode([merge(local.containers["fargate-sidecar"], {
    essential = true
    environment = [
      for variable in local.containers["fargate-sidecar"].environment :
      variable.name == "ECR_PROBE_LISTEN" ? { name = variable.name, value = var.sidecar_listen } : variable
    ]
  })])

  runtime_platform {
    cpu_architecture        = var.cpu_architecture
    operating_system_family = "LINUX"
  }
}

resource "aws_ecs_service" "sidecar" {
  count = var.sidecar ? 1 : 0

  name                  = "${var.name}-sidecar"
  cluster               = var.cluster
  task_definition       = aws_ecs_task_definition.sidecar[0].arn
  desired_count         = 1
  launch_type           = "FARGATE"
  propagate_tags        = "TASK_DEFINITION"
  wait_for_steady_state = true
  tags                  = local.tags

  # Tasks that cannot start end the deployment, instead of being tried for hours.
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }

  network_configuration {
    subnets          = var.subnet_ids
    security_groups  = var.security_group_ids
    assign_public_ip = false
  }

  lifecycle {
    precondition {
      condition     = length(var.subnet_ids) > 0 && length(var.security_group_ids) > 0
      error_message = "subnet_ids and security_group_ids are required with sidecar."
    }
  }
}
