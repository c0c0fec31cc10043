"""Training of an own 3-D U-Net for cortical and cancellous bone."""
