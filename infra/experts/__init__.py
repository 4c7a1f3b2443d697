"""Exact solvers and checkers of model types, behind the HTTP interface of a cloud model."""
