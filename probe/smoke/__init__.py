"""`ecr-probe smoke`: run the check as an ECS task in each subnet and report one verdict for all of them."""
