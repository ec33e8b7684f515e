"""The one-file build, for hosts that can pull no image: `build` creates it, `start` and `unpack` run first in it."""
