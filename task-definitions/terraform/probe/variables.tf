variable "name" {
  description = "The prefix of the names of roles, schedule and alarms, and the part of the metrics' namespace after EcrProbe/."
  type        = string
  default     = "ecr-probe"
  validation {
    condition     = can(regex("^[A-Za-z][A-Za-z0-9-]{0,19}$", var.name))
    error_message = "name is up to 20 letters, digits and hyphens such as ecr-probe."
  }
}

variable "repository" {
  description = "The ECR repository of this account and region that contains the probe's image."
  type        = string
  default     = "ecr-probe"
  validation {
    condition     = can(regex("^[a-z0-9]+([._/-][a-z0-9]+)*$", var.repository))
    error_message = "repository is the name of a repository such as ecr-probe, without the registry."
  }
}

variable "image_version" {
  description = <<-EOT
    The part after the repository's name: ":" and a tag, or "@" and a digest. A digest cannot be moved to another image.
  EOT
  type        = string
  default     = ":0.1.0"
  validation {
    condition     = can(regex("^(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}|@sha256:[0-9a-f]{64})$", var.image_version))
    error_message = "image_version is a tag such as :0.1.0 or a digest such as @sha256:..."
  }
}

variable "cpu_architecture" {
  description = "The CPU architecture that the image was built for."
  type        = string
  default     = "X86_64"
  validation {
    condition     = contains(["X86_64", "ARM64"], var.cpu_architecture)
    error_message = "cpu_architecture is X86_64 or ARM64."
  }
}

variable "vpc_cidrs" {
  description = <<-EOT
    Every range that counts as yours: the VPC's, its secondary ones, the one of central endpoints; for example
    ["10.0.0.0/16"].
  EOT
  type        = list(string)
  validation {
    condition     = length(var.vpc_cidrs) > 0 && alltrue([for range in var.vpc_cidrs : can(regex("^[0-9a-fA-F.:]+/[0-9]{1,3}$", range))])
    error_message = "vpc_cidrs is a list of one or more ranges such as 10.0.0.0/16."
  }
}

variable "schedule_expression" {
  description = <<-EOT
    How often the probe runs by itself, for example rate(15 minutes); empty for no schedule. Cluster, subnets and security
    groups are used by the schedule and the sidecar only.
  EOT
  type        = string
  default     = ""
  validation {
    condition     = can(regex("^((rate|cron|at)\\(.+\\))?$", var.schedule_expression))
    error_message = "schedule_expression is an expression such as rate(15 minutes), or empty."
  }
}

variable "cluster" {
  description = "The name of the ECS cluster in which the schedule and the sidecar run the probe."
  type        = string
  default     = "default"
  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,255}$", var.cluster))
    error_message = "cluster is a name such as main, not an ARN."
  }
}

variable "subnet_ids" {
  description = <<-EOT
    The subnets that the schedule and the sidecar check. ECS chooses one of them for each run; for a verdict on each
    subnet use the module once for each, or use ecr-probe smoke.
  EOT
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for id in var.subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))])
    error_message = "subnet_ids is a list of IDs such as subnet-0a1b2c3d4e5f60718."
  }
}

variable "security_group_ids" {
  description = "The security groups of the tasks that the schedule and the sidecar check."
  type        = list(string)
  default     = []
  validation {
    condition     = alltrue([for id in var.security_group_ids : can(regex("^sg-[0-9a-f]+$", id))])
    error_message = "security_group_ids is a list of IDs such as sg-0a1b2c3d4e5f60718."
  }
}

variable "schedule_state" {
  description = "DISABLED keeps the schedule and does not run it."
  type        = string
  default     = "ENABLED"
  validation {
    condition     = contains(["ENABLED", "DISABLED"], var.schedule_state)
    error_message = "schedule_state is ENABLED or DISABLED."
  }
}

variable "alarm_topic_arn" {
  description = <<-EOT
    The SNS topic that receives the alarms of the schedule, for example arn:aws:sns:eu-west-1:123456789012:oncall. Its
    policy has to allow CloudWatch to publish. Empty for none.
  EOT
  type        = string
  default     = ""
  validation {
    condition     = can(regex("^(arn:aws[a-z-]*:sns:[a-z0-9-]+:[0-9]{12}:[A-Za-z0-9_-]{1,256})?$", var.alarm_topic_arn))
    error_message = "alarm_topic_arn is the ARN of an SNS topic such as arn:aws:sns:eu-west-1:123456789012:oncall, or empty."
  }
}

variable "permissions_boundary" {
  description = <<-EOT
    The ARN of the policy that is the permissions boundary of the three roles, for example
    arn:aws:iam::123456789012:policy/ecr-probe-boundary. Empty for none.
  EOT
  type        = string
  default     = ""
  validation {
    condition     = can(regex("^(arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]{1,512})?$", var.permissions_boundary))
    error_message = "permissions_boundary is the ARN of a policy such as arn:aws:iam::123456789012:policy/ecr-probe-boundary, or empty."
  }
}

variable "alarm_email" {
  description = <<-EOT
    An e-mail address that receives the alarms of the schedule through a topic of this module. SNS asks it to confirm
    first. Empty for none.
  EOT
  type        = string
  default     = ""
  validation {
    condition     = can(regex("^([^@\\s]+@[^@\\s]+)?$", var.alarm_email))
    error_message = "alarm_email is an e-mail address such as oncall@example.com, or empty."
  }
}

variable "alarm_statuses" {
  description = <<-EOT
    The verdicts that raise the alarm. An inconclusive verdict proves nothing, and a degraded one means that pulls work,
    but not as intended, for example through NAT.
  EOT
  type        = string
  default     = "fail"
  validation {
    condition     = contains(["fail", "fail-or-inconclusive", "not-pass"], var.alarm_statuses)
    error_message = "alarm_statuses is fail, fail-or-inconclusive or not-pass."
  }
}

variable "alarm_period_seconds" {
  description = <<-EOT
    The seconds between two runs of the schedule; 900 for rate(15 minutes). Three such periods without a verdict raise an
    alarm.
  EOT
  type        = number
  default     = 900
  validation {
    condition     = contains([300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400], var.alarm_period_seconds)
    error_message = "alarm_period_seconds is 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200 or 86400."
  }
}

variable "sidecar" {
  description = "true runs the sidecar as an ECS service of one task on Fargate: it measures every minute and has a page and metrics."
  type        = bool
  default     = false
}

variable "sidecar_listen" {
  description = <<-EOT
    Where the sidecar serves its page and metrics. 127.0.0.1 is reachable from within the task only. With 0.0.0.0 the
    rules of the security groups decide who reaches port 9879, and the page has no login.
  EOT
  type        = string
  default     = "127.0.0.1:9879"
  validation {
    condition     = contains(["127.0.0.1:9879", "0.0.0.0:9879"], var.sidecar_listen)
    error_message = "sidecar_listen is 127.0.0.1:9879 or 0.0.0.0:9879."
  }
}

variable "record_pull_time" {
  description = <<-EOT
    false keeps the probe's reads out of the last pull time of images, on which lifecycle rules can be based. true counts
    them as pulls, as ECR does by default.
  EOT
  type        = bool
  default     = false
}

variable "log_group_name" {
  description = "The log group, which this module creates."
  type        = string
  default     = "/ecs/ecr-probe"
  validation {
    condition     = can(regex("^[A-Za-z0-9_/.#-]{1,512}$", var.log_group_name))
    error_message = "log_group_name is the name of a log group such as /ecs/ecr-probe."
  }
}

variable "log_retention_days" {
  description = "How long verdicts are kept."
  type        = number
  default     = 30
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400], var.log_retention_days)
    error_message = "log_retention_days is 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365 or 400."
  }
}

variable "tags" {
  description = "Tags of every resource, in addition to the provider's default_tags."
  type        = map(string)
  default     = {}
}
