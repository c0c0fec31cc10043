"""Qt panels for Slicer: they read widgets and show what `panels` says; they compute nothing."""
