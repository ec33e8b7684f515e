"""What a run is configured with: flags and their variables, how each is read, and where reports go."""
