"""`up` and `down`: what `smoke` needs in an account, as one CloudFormation stack and an image, and its removal."""
