"""What the panels show and do, for Slicer and for the browser: plain Python over MRML, without Qt."""
