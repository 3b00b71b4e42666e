"""The command line: one module a command, `main` puts them together."""

import os

# Else pydantic reads the metadata of every package that is installed, for plugins that no command needs.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
