"""The program's entry, for `python -m probe` and for the command `ecr-probe`."""

from probe.signals import end_quietly_on_ctrl_c


def run() -> None:
    # Before the imports of the command line: a Ctrl-C among them would end in a traceback.
    end_quietly_on_ctrl_c()
    from probe.cli import main

    main()


if __name__ == "__main__":
    run()
