"""The outside view: what an operator sees and does through AWS's API. Only here are clients of botocore.

`aws` is the door: it makes the calls and says what their errors mean. Behind it `smoke` runs the probe as an ECS task
in each subnet and gathers what came of it.
"""
