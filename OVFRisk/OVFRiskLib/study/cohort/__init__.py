"""A study's patients: tables joined, described, matched and split."""

from .balance import Balance, balance
from .columns import Cohort, Column, cells
from .external import ExternalSet
from .matching import Matching, MatchingDesign, Order, Scale, match
from .missing import MissingReport, missing_report
from .splits import Split, folds, leave_one_centre_out, split_by_centre, split_by_chance, split_by_date
from .table_one import TableOne, table_one
from .tables import Lacking, join, read_clinical, read_multiparametric, read_patients
from .wide import one_row_a_patient

__all__ = [
    "Balance",
    "Cohort",
    "Column",
    "ExternalSet",
    "Lacking",
    "Matching",
    "MatchingDesign",
    "MissingReport",
    "Order",
    "Scale",
    "Split",
    "TableOne",
    "balance",
    "cells",
    "folds",
    "join",
    "leave_one_centre_out",
    "match",
    "missing_report",
    "one_row_a_patient",
    "read_clinical",
    "read_multiparametric",
    "read_patients",
    "split_by_centre",
    "split_by_chance",
    "split_by_date",
    "table_one",
]
