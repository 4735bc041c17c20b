"""DECIDES. No input or output, no clock, no chance: values in, values out."""
