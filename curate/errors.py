"""Errors that a person made and can mend: shown as one line, exit status 2."""


class UserError(Exception):
    """Something in the command, the recipe or the files named is wrong; the message says what to do."""
