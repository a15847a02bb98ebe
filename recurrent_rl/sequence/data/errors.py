"""What goes wrong with data is said in one line."""


class DataError(ValueError):
    """An archive cannot be had or read, or data given by a user will not do; the message says what to change."""
