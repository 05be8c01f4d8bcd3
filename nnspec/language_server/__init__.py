"""A language server of specs, for ``nnspec lsp``: what the compiler knows of a document while it is written."""
