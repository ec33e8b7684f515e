"""The one-file build, for hosts that can pull no image: `build` makes it, `start` and `unpack` run first inside it."""
