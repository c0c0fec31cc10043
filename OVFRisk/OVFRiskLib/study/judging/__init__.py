"""Judging predictions: discrimination, reclassification, calibration, decisions and the confusion matrix.

Every figure comes with its interval, the patients it is of and how it was computed, or says why there is none.
"""
