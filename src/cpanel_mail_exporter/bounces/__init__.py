"""Why mail failed and who takes it: texts and names in, a small set of words out; rules as data."""
