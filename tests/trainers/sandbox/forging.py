"""Programs that want their tests passed without doing what is asked: the square of a number."""

FORGING: dict[str, str] = {
    "says that it passed": """
print("1 passed")
print('{"passed": true}')
def square(n): return None
""",
    "leaves with a zero at once": "import os\nos._exit(0)",
    "leaves with a zero when asked": "import os\ndef square(n): os._exit(0)",
    "raises SystemExit(0)": "def square(n): raise SystemExit(0)",
    "answers with what equals everything": """
class All:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    __hash__ = None
def square(n): return All()
""",
    "answers with a number that lies": """
class Liar(int):
    __eq__ = lambda self, other: True
    __hash__ = int.__hash__
    __repr__ = __str__ = lambda self: "15241578750190521"
    __index__ = __int__ = lambda self: 15241578750190521 * 0
def square(n): return Liar(7)
""",
    "answers with a text that lies": """
class Liar(str):
    def __eq__(self, other): return True
    __hash__ = str.__hash__
    def encode(self, *_): return b"15241578750190521"
def square(n): return Liar("x")
""",
    "patches Python": """
import builtins, operator
always = lambda *_, **__: True
for name in ("isinstance", "eval", "exec", "repr", "type", "all", "any", "abs", "dict"):
    setattr(builtins, name, always)
operator.eq = always
builtins.AssertionError = ValueError
def square(n): return 1
""",
    "writes its answers itself": """
import os
os.write(4, b'[-1,[]]\\n[0,[["value",true]]]\\n[0,[["value",15]]]\\n')
def square(n): return None
""",
    "writes that it has passed": """
import os
for line in ('{"passed": [0]}', "passed", "[0, true]", '[0, [["passed", true]]]', "[0, []]"):
    os.write(4, line.encode() + b"\\n")
os._exit(0)
""",
    "says that it has loaded, in ways of its own": """
import os
os.write(4, b'[-1,[["value",1]]]\\n[-1,[]]\\n[0,[]]\\n')
os._exit(0)
""",
    "says that it failed without a reason": """
import os
os.write(4, b'[-1,[["raised",""]]]\\n[0,[["raised",""]]]\\n[0,[["",1]]]\\n')
os._exit(0)
""",
    "writes answers that nobody can read": """
import os
os.write(4, b"[" * 30000 + b"\\n")
os.write(4, b"\\xff\\x00\\n" + b"9" * 5000 + b"\\n" + b'[0,[["value",' + b"9" * 9000 + b"]]]\\n")
def square(n): return None
""",
    "bends the way out": """
import os
real = os.write
os.write = lambda number, text: real(number, text.replace(b"null", b"true"))
os.dup2(1, 4)
def square(n): return None
""",
    "looks up the answer in the frames above": """
import gc, sys
def numbers():
    frame = sys._getframe()
    while frame:
        yield from (one for one in [*frame.f_locals.values(), *frame.f_code.co_consts])
        frame = frame.f_back
    for one in gc.get_objects():
        if isinstance(one, (tuple, list)):
            yield from one
def square(n):
    found = [one for one in numbers() if type(one) is int and one > n]
    return next((one for one in found if str(one).startswith("152415")), max(found, default=0))
""",
    "looks for the answer in its memory": """
import ctypes, gc
def square(n):
    for one in gc.get_objects():
        for text in one if isinstance(one, (tuple, list)) else ():
            if isinstance(text, (str, bytes)) and "15241" + "57875" in str(text):
                return 123456789 * 123456789
    return 0
""",
    "changes the frame that asks it": """
import ctypes, sys
def square(n):
    frame = sys._getframe(1)
    while frame.f_back:
        frame = frame.f_back
        for name in list(frame.f_locals):
            if name in ("found", "steps", "source"):
                frame.f_locals[name] = []
        ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(1))
    return 0
""",
    "answers with a bomb": "def square(n): return 10 ** 4000 * n",
    "answers with very much": "def square(n): return [0] * 10**6",
    "answers with something endless": """
def square(n):
    x = []
    x.append(x)
    return x
""",
    "answers with what is no data": "def square(n): return lambda: n * n",
    "does not come back": "def square(n):\n    while True: pass",
    "falls dead": "import ctypes\ndef square(n): ctypes.string_at(0)",
}

TEST = "assert square(123456789) == 15241578750190521"
