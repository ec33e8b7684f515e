# The VPC endpoints that ECS tasks need to pull images from Amazon ECR and to log to CloudWatch Logs without a route to
# the internet: ecr.api, ecr.dkr and logs as interfaces, S3 as a gateway, and by variable those of ECS, Secrets Manager,
# Parameter Store and KMS.
#
# Creating the S3 gateway interrupts open connections to S3 from the subnets of its route tables; clients have to connect
# again. AWS[s3-gateway-cuts-connections]

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region

  # AWS[privatelink-service-names]
  ecr_prefix = {
    aws        = "com.amazonaws"
    aws-us-gov = "com.amazonaws"
    aws-cn     = "cn.com.amazonaws"
    aws-eusc   = "eu.amazonaws"
    aws-iso    = "gov.ic.c2s"
    aws-iso-b  = "gov.sgov.sc2s"
    aws-iso-e  = "uk.adc-e.cloud"
    aws-iso-f  = "gov.ic.hci.csp"
  }[local.partition]

  # The interfaces that can be created in any order.
  interfaces = merge(
    {
      "ecr.api" = "${local.ecr_prefix}.${local.region}.ecr.api"
      "ecr.dkr" = "${local.ecr_prefix}.${local.region}.ecr.dkr"
      "logs"    = "com.amazonaws.${local.region}.logs"
    },
    {
      for name, wanted in {
        "secretsmanager" = var.secretsmanager_endpoint
        "ssm"            = var.ssm_endpoint
        "kms"            = var.kms_endpoint
      } : name => "com.amazonaws.${local.region}.${name}" if wanted
    },
  )

  # Both endpoints of ECR have the same policy: login uses ecr.api, manifests and layer redirects use ecr.dkr.
  ecr_statements = jsondecode(
    var.ecr_policy == "pull-only" ? file("${path.module}/../../policies/ecr-endpoint.json") : jsonencode({
      Statement = [{ Sid = "AllActions", Effect = "Allow", Principal = "*", Action = "*", Resource = "*" }]
    })
  ).Statement
  organization = { Condition = { StringEquals = { "aws:PrincipalOrgID" = var.organization_id } } }
  ecr_document = jsonencode({
    Version = "2012-10-17"
    Statement = [
      for statement in local.ecr_statements :
      merge(statement, { for key, value in local.organization : key => value if var.organization_id != "" })
    ]
  })

  # No condition on the principal: AWS[s3-layer-principal].
  s3_document = replace(
    templatefile("${path.module}/../../policies/s3-gateway.json", { REGION = local.region }),
    "arn:aws:", "arn:${local.partition}:",
  )

  # For ipv4 neither the type nor a DNS option is sent: AWS's default is the same.
  ip_address_type = var.ip_address_type == "ipv4" ? null : var.ip_address_type
}

resource "aws_security_group" "endpoints" {
  name_prefix = "ecr-endpoints-"
  description = "HTTPS from tasks and container instances to the interface endpoints"
  vpc_id      = var.vpc_id
  tags        = var.tags

  # An endpoint opens no connection, so the group has no egress rule. Terraform removes the one that AWS creates.

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "https" {
  for_each = toset(var.client_cidrs)

  security_group_id = aws_security_group.endpoints.id
  description       = "HTTPS to AWS services"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = each.value
  tags              = var.tags
}

resource "aws_vpc_security_group_ingress_rule" "https_ipv6" {
  for_each = toset(var.client_cidrs_ipv6)

  security_group_id = aws_security_group.endpoints.id
  description       = "HTTPS to AWS services"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv6         = each.value
  tags              = var.tags
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.interfaces

  vpc_id              = var.vpc_id
  vpc_endpoint_type   = "Interface"
  service_name        = each.value
  subnet_ids          = var.subnet_ids
  security_group_ids  = [aws_security_group.endpoints.id]
  private_dns_enabled = true
  policy              = startswith(each.key, "ecr.") ? local.ecr_document : null
  ip_address_type     = local.ip_address_type
  tags                = merge(var.tags, { Name = each.key })

  dynamic "dns_options" {
    for_each = local.ip_address_type == null ? [] : [local.ip_address_type]
    content {
      dns_record_ip_type = dns_options.value
    }
  }
}

resource "aws_vpc_endpoint" "s3" {
  vpc_id            = var.vpc_id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${local.region}.s3"
  route_table_ids   = var.route_table_ids
  policy            = var.s3_policy == "ecr-only" ? local.s3_document : null
  ip_address_type   = local.ip_address_type
  tags              = merge(var.tags, { Name = "s3" })

  dynamic "dns_options" {
    for_each = local.ip_address_type == null ? [] : [local.ip_address_type]
    content {
      dns_record_ip_type = dns_options.value
    }
  }
}

# In the order of AWS's guide. Restart the agent of running instances after they are created.
resource "aws_vpc_endpoint" "ecs_agent" {
  count = var.ecs_endpoints ? 1 : 0

  vpc_id              = var.vpc_id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${local.region}.ecs-agent"
  subnet_ids          = var.subnet_ids
  security_group_ids  = [aws_security_group.endpoints.id]
  private_dns_enabled = true
  ip_address_type     = local.ip_address_type
  tags                = merge(var.tags, { Name = "ecs-agent" })

  dynamic "dns_options" {
    for_each = local.ip_address_type == null ? [] : [local.ip_address_type]
    content {
      dns_record_ip_type = dns_options.value
    }
  }
}

resource "aws_vpc_endpoint" "ecs_telemetry" {
  count      = var.ecs_endpoints ? 1 : 0
  depends_on = [aws_vpc_endpoint.ecs_agent]

  vpc_id              = var.vpc_id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${local.region}.ecs-telemetry"
  subnet_ids          = var.subnet_ids
  security_group_ids  = [aws_security_group.endpoints.id]
  private_dns_enabled = true
  ip_address_type     = local.ip_address_type
  tags                = merge(var.tags, { Name = "ecs-telemetry" })

  dynamic "dns_options" {
    for_each = local.ip_address_type == null ? [] : [local.ip_address_type]
    content {
      dns_record_ip_type = dns_options.value
    }
  }
}

resource "aws_vpc_endpoint" "ecs" {
  count      = var.ecs_endpoints ? 1 : 0
  depends_on = [aws_vpc_endpoint.ecs_telemetry]

  vpc_id              = var.vpc_id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${local.region}.ecs"
  subnet_ids          = var.subnet_ids
  security_group_ids  = [aws_security_group.endpoints.id]
  private_dns_enabled = true
  ip_address_type     = local.ip_address_type
  tags                = merge(var.tags, { Name = "ecs" })

  dynamic "dns_options" {
    for_each = local.ip_address_type == null ? [] : [local.ip_address_type]
    content {
      dns_record_ip_type = dns_options.value
    }
  }
}
