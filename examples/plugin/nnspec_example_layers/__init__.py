"""Two layers and an objective for nnspec. Importing their facts loads no framework."""
