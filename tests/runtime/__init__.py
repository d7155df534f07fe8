"""Tests of runtime: an engine in a folder, without sockets."""
