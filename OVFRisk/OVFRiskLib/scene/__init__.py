"""MRML nodes of the panels, subject by subject; the scene is an argument."""
