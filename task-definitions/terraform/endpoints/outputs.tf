output "endpoint_security_group_id" {
  description = "The security group of the interface endpoints."
  value       = aws_security_group.endpoints.id
}

output "ecr_api_endpoint_id" {
  description = "For aws:SourceVpce, as ECR_API_ENDPOINT_ID in iam/execution-role-restricted.json."
  value       = aws_vpc_endpoint.interface["ecr.api"].id
}

output "ecr_dkr_endpoint_id" {
  description = "For aws:SourceVpce, as ECR_DKR_ENDPOINT_ID in iam/execution-role-restricted.json."
  value       = aws_vpc_endpoint.interface["ecr.dkr"].id
}

output "s3_gateway_id" {
  description = "The S3 gateway endpoint."
  value       = aws_vpc_endpoint.s3.id
}
