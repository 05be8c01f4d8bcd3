"""Two layers for nnspec. Importing their facts loads no framework."""
