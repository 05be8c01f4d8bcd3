"""What ``nnspec explain`` says: of a code, and of where a value came from."""
