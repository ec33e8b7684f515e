"""What a VPC's configuration does to a name, a packet or a call: one gate for each place that can stop it. Pure.

A gate is a function of a `View`. It answers with an `Opinion`, and with nothing where it does not apply. What it needs
and cannot see raises MissingError, which `opinions` turns into UNKNOWN: no guess is ever an ALLOWS.
"""
