output "smoke_task_definition_arn" {
  description = "For ecr-probe smoke."
  value       = aws_ecs_task_definition.smoke.arn
}

output "task_definition_arn" {
  description = "What the schedule runs, also for aws ecs run-task; null without a schedule."
  value       = one(aws_ecs_task_definition.check[*].arn)
}

output "sidecar_service_name" {
  description = "The sidecar's service; null without it."
  value       = one(aws_ecs_service.sidecar[*].name)
}

output "log_group_name" {
  description = "The log group of the verdicts."
  value       = aws_cloudwatch_log_group.verdicts.name
}

output "task_role_arn" {
  description = "The role of the probe."
  value       = aws_iam_role.task.arn
}

output "execution_role_arn" {
  description = "The role that pulls its image."
  value       = aws_iam_role.execution.arn
}

output "alarm_topic_arn" {
  description = "The topic of alarm_email; null without it."
  value       = one(aws_sns_topic.alarms[*].arn)
}

output "sidecar_container_definition" {
  description = <<-EOT
    The probe as a container next to an application: an object for container_definitions =
    jsonencode([local.application, module.probe.sidecar_container_definition]). It is not essential, has 192 MiB, and
    listens on port 9879, which the task's security groups protect. The task's roles need what the module's roles may do.
  EOT
  value       = local.containers["fargate-sidecar"]
}
