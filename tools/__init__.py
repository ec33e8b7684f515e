"""Programs for maintainers: they write the pages of findings and take the pictures of the documents."""
