"""The configuration of an account, as AWS's API answered: a fact, like a measurement. Pure: it makes no call.

Gates ask a `View` for what they need. What it does not hold yet, the view notes down; `operator.reading` makes these
calls and evaluates the gates again, until nothing is missing. What is read is therefore what the gates ask for.
"""
