"""Container images in registries and archives, copied without Docker. Nothing here is specific to AWS.

`open_archive` and `open_reference` return a `Source`, `copy` writes it to a repository of a `Registry`.
"""
