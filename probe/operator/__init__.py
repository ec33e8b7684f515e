"""The outside view: what an operator reads and does through AWS's API. botocore's clients exist only here.

`aws` makes the calls and classifies their errors; `stopped` reads a stopped task for `explain`.
"""
