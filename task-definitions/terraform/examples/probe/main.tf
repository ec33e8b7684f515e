# The probe in one VPC, run every fifteen minutes, with alarms by e-mail; and as a container next to an application.

module "probe" {
  source = "../../probe"

  vpc_cidrs           = ["10.0.0.0/16"]
  cluster             = "main"
  subnet_ids          = ["subnet-0a1b2c3d4e5f60718"]
  security_group_ids  = ["sg-0a1b2c3d4e5f60718"]
  schedule_expression = "rate(15 minutes)"
  alarm_email         = "oncall@example.com"
}

# With your application's image, and roles of your own that allow what iam/task-role.json and iam/execution-role.json allow.
resource "aws_ecs_task_definition" "shop" {
  family                   = "shop"
  task_role_arn            = "arn:aws:iam::123456789012:role/shop-task"
  execution_role_arn       = "arn:aws:iam::123456789012:role/shop-execution"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  cpu                      = "512"
  memory                   = "1024"
  container_definitions = jsonencode([
    {
      name                   = "shop"
      image                  = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/shop:1.0"
      essential              = true
      readonlyRootFilesystem = true
    },
    module.probe.sidecar_container_definition,
  ])
}
