"""The language of the system, its log and its bus. Imports nothing else of ours."""
