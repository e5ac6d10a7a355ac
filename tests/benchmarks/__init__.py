"""The benchmarks still run; how fast anything is decides no test."""
