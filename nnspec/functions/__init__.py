"""Functions of tensor expressions (``Compute``): one object each, with its type rule, its lowerings and its proof cases."""
