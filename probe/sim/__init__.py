"""A VPC in this process: DNS, TCP, TLS and HTTP for real on loopback, without root and without AWS.

`ecr-probe demo` and the tests use it. It knows of the product only the type `Wire`, which it provides; AWS names are
spelled by hand, so that it is an independent oracle. AWS is imitated as its documentation and captures show it.
"""
