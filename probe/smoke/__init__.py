"""`ecr-probe smoke`: runs the check as an ECS task in each subnet and reports one verdict over all of them."""
