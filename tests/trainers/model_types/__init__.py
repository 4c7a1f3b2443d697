"""Model types: what each has to be, and what is particular to one."""
