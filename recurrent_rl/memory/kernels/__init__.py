"""Time loops of the step cells."""
