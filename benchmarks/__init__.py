"""The numbers that faceswapd keeps, measured: `make bench`, or `python -m benchmarks NAME...` for some.

figure          one measured number, and what is asked of it
real_daemon     a daemon as a process of its own, on a temporary folder
filled_ledger   a ledger with as many jobs as one likes, in seconds
Every other file is a subject, with one function `measure`.
"""
