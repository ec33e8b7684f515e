"""The program's entry, for `python -m probe` and for the command `ecr-probe`."""


def run() -> None:
    # Before every other import: a Ctrl-C among them would end in a traceback.
    try:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_DFL)
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    from probe.cli import main

    main()


if __name__ == "__main__":
    run()
