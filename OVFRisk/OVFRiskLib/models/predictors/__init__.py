"""Predictors by kind."""
