"""What the evidence shows: rules over a whole measurement. Pure: no clock, no socket, no environment."""
