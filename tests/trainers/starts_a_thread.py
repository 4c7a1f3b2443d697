"""A library that begins a thread when it is loaded, and so cannot be forked from safely."""

import threading

threading.Thread(target=threading.Event().wait, daemon=True).start()
