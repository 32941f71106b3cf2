"""WHM's functions and generic output options over a world: parameters in, one answer out."""
