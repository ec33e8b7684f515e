"""ecr-probe: proves that ECS can pull an image from ECR through PrivateLink, or names what is in the way."""

__version__ = "0.1.0"
