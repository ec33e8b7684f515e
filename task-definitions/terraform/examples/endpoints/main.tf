# The endpoints of a VPC with two zones. Its tasks read only ECR's layers from S3.

module "endpoints" {
  source = "../../endpoints"

  vpc_id          = "vpc-0a1b2c3d4e5f60718"
  subnet_ids      = ["subnet-0a1b2c3d4e5f60718", "subnet-0b1c2d3e4f5a60718"]
  route_table_ids = ["rtb-0a1b2c3d4e5f60718", "rtb-0b1c2d3e4f5a60718"]
  client_cidrs    = ["10.0.0.0/16", "100.64.0.0/16"]
  s3_policy       = "ecr-only" # denies everything else that these subnets do with S3
}

output "ecr_api_endpoint_id" {
  description = "For conditions on aws:SourceVpce."
  value       = module.endpoints.ecr_api_endpoint_id
}
