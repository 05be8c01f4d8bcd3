"""How a classifier of one domain does on images of another, before and after a network translates them."""
