"""The design file of a study."""
