"""Time loops of the step cells; `choose` says which one runs."""
