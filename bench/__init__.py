"""Reproducible measurements of Firetower on this machine: `script/bench --help`."""
