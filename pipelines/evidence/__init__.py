"""How sure a figure is: pure functions of recorded observations, so that a replay says the same.

`intervals` for what is measured once, `betting` and `harm` for what may be looked at again and
again, `discoveries` for all that is ever tried, `decline` for streams that must not grow worse.
"""
