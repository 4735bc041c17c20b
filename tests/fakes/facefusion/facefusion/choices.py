"""Where FaceFusion keeps what its options take; here it stands in `options.py` and `processor_options.py`."""
