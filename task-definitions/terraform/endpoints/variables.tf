variable "vpc_id" {
  description = "The VPC. Its attributes enableDnsSupport and enableDnsHostnames must both be on, for private DNS."
  type        = string
  validation {
    condition     = can(regex("^vpc-[0-9a-f]+$", var.vpc_id))
    error_message = "vpc_id is the ID of a VPC such as vpc-0a1b2c3d4e5f60718."
  }
}

variable "subnet_ids" {
  description = "The subnets of the interface endpoints, one in each zone that runs tasks."
  type        = list(string)
  validation {
    condition     = length(var.subnet_ids) > 0 && alltrue([for id in var.subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))])
    error_message = "subnet_ids is a list of one or more IDs such as subnet-0a1b2c3d4e5f60718."
  }
}

variable "route_table_ids" {
  description = <<-EOT
    The route tables of the subnets that run tasks or container instances; the S3 gateway adds its route to these.
    Subnets of a table that is missing here cannot read layers.
  EOT
  type        = list(string)
  validation {
    condition     = length(var.route_table_ids) > 0 && alltrue([for id in var.route_table_ids : can(regex("^rtb-[0-9a-f]+$", id))])
    error_message = "route_table_ids is a list of one or more IDs such as rtb-0a1b2c3d4e5f60718."
  }
}

variable "ip_address_type" {
  description = <<-EOT
    The addresses of the endpoints: ipv4, dualstack for subnets with both families, ipv6 for subnets that have only
    IPv6. With ipv6, a task needs image names of the form ACCOUNT.dkr-ecr.REGION.on.aws.
  EOT
  type        = string
  default     = "ipv4"
  validation {
    condition     = contains(["ipv4", "dualstack", "ipv6"], var.ip_address_type)
    error_message = "ip_address_type is ipv4, dualstack or ipv6."
  }
}

variable "client_cidrs" {
  description = <<-EOT
    The IPv4 ranges that may connect to the interface endpoints: the VPC's, its secondary ones, those of VPCs that share
    these endpoints; for example ["10.0.0.0/16", "100.64.0.0/16"].
  EOT
  type        = list(string)
  validation {
    condition = length(var.client_cidrs) > 0 && alltrue([
      for range in var.client_cidrs : can(regex("^([0-9]{1,3}\\.){3}[0-9]{1,3}/[0-9]{1,2}$", range)) && can(cidrnetmask(range))
    ])
    error_message = "client_cidrs is a list of one or more IPv4 ranges such as 10.0.0.0/16."
  }
}

variable "client_cidrs_ipv6" {
  description = <<-EOT
    The IPv6 ranges that may connect to the interface endpoints, with dualstack or ipv6; for example
    ["2600:1f18:1234:5600::/56"]. Empty without IPv6.
  EOT
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for range in var.client_cidrs_ipv6 : can(regex("^[0-9a-fA-F:]{2,39}/[0-9]{1,3}$", range))])
    error_message = "client_cidrs_ipv6 is a list of IPv6 ranges such as 2600:1f18:1234:5600::/56."
  }
}

variable "s3_policy" {
  description = <<-EOT
    The policy of the S3 gateway. "full" allows all of S3, as AWS's default policy does. "ecr-only" allows only the
    download of ECR's layers: everything else that these subnets do with S3 is then denied, for example application
    buckets, environment files, ECS Exec logs, Systems Manager, and package repositories of Amazon Linux.
  EOT
  type        = string
  default     = "full"
  validation {
    condition     = contains(["full", "ecr-only"], var.s3_policy)
    error_message = "s3_policy is full or ecr-only."
  }
}

variable "ecr_policy" {
  description = <<-EOT
    The policy of the ECR endpoints. "full" allows every action that the roles allow. "pull-only" allows only what a
    pull needs: pushes, the management of repositories, and the import of a pull-through cache are then denied here.
  EOT
  type        = string
  default     = "full"
  validation {
    condition     = contains(["full", "pull-only"], var.ecr_policy)
    error_message = "ecr_policy is full or pull-only."
  }
}

variable "organization_id" {
  description = <<-EOT
    Only roles of this organization may use the ECR endpoints, for example o-a1b2c3d4e5. Empty allows all roles. It does
    not apply to S3: layers are read by a principal of AWS.
  EOT
  type        = string
  default     = ""
  validation {
    condition     = can(regex("^(o-[a-z0-9]{10,32})?$", var.organization_id))
    error_message = "organization_id is an organization's ID such as o-a1b2c3d4e5, or empty."
  }
}

variable "ecs_endpoints" {
  description = <<-EOT
    true creates ecs, ecs-agent and ecs-telemetry. EC2 container instances need them; Fargate needs them in Regions that
    opened after 2023-12-23, and ecs-agent for Service Connect.
  EOT
  type        = bool
  default     = false
}

variable "secretsmanager_endpoint" {
  description = "true creates secretsmanager, for task definitions with secrets from Secrets Manager."
  type        = bool
  default     = false
}

variable "ssm_endpoint" {
  description = "true creates ssm, for task definitions with parameters from Systems Manager Parameter Store."
  type        = bool
  default     = false
}

variable "kms_endpoint" {
  description = "true creates kms, for containers that call KMS. Secrets Manager and Parameter Store call it from AWS."
  type        = bool
  default     = false
}

variable "tags" {
  description = "Tags of every resource, in addition to the provider's default_tags."
  type        = map(string)
  default     = {}
}
