"""`python -m tests.benchmarks.NAME`: two or more ways on the same work in one run, with their ratio."""
