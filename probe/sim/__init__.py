"""A simulated VPC in this process: real DNS, TCP, TLS and HTTP on loopback, without root and without AWS.

`ecr-probe demo` and the tests use it. It is an independent oracle: it imports nothing of the program but `Wire`, the
type that it provides, and spells AWS's names by hand. It imitates AWS as documentation and captures show it.
"""
