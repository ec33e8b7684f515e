"""`inspect`: the outside view. It reads the configuration, evaluates the gates of each leg, predicts what a check would
see, and settles causes.

    options → target → legs → gates → prediction → diagnose → settling → Verdict

Everything here is pure: `operator.reading` makes the calls.
"""
