"""Studies: from a cohort's feature table to validated, compared, exportable models."""
