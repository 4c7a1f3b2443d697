"""Hostile programs that go for what lies outside: files, processes, the network, the kernel."""

from tests.trainers.sandbox.hostile import Hostile, reaching
from tests.trainers.sandbox.reaching_files import FILES

REACHING: tuple[Hostile, ...] = (
    *FILES,
    reaching(
        "opens sockets of every family",
        """
import socket
for family in range(46):
    for kind in range(1, 6):
        attempt(f"{family} {kind}", lambda: socket.socket(family, kind).close())
""",
    ),
    reaching(
        "connects to a server on this machine",
        """
import socket
attempt("tcp", socket.create_connection, ("127.0.0.1", given["port"]), 1)
""",
        bites=True,
    ),
    reaching(
        "connects to an abstract unix socket",
        """
import socket
def connect():
    with socket.socket(socket.AF_UNIX) as one:
        one.connect("\\0" + given["abstract"])
attempt("abstract", connect)
def past_the_pair():
    one, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    one.sendto(b"x", "\\0" + given["abstract"])
attempt("a pair of datagrams", past_the_pair)
def rebound():
    one, _ = socket.socketpair()
    one.bind("\\0" + given["token"])
attempt("bind a pair", rebound)
""",
        bites=True,
    ),
    reaching(
        "makes its own calls for a socket",
        'attempt("socket", call, "socket", 2, 1, 0)\nattempt("unix", call, "socket", 1, 2, 0)',
        bites=True,
    ),
    reaching(
        "starts other programs",
        """
import subprocess
attempt("shell", subprocess.check_output, ["/bin/sh", "-c", "id"])
attempt("python", subprocess.check_output, [sys.executable, "-c", "1"])
attempt("system", lambda: os.system("true") == 0)
attempt("spawn", os.posix_spawn, "/bin/true", ["true"], {})
""",
        bites=True,
    ),
    reaching(
        "becomes a shell",
        """
for path in ("/bin/sh", "/usr/bin/env", "/usr/bin/perl", "/bin/busybox"):
    attempt(path, os.execv, path, [path, "-c", "echo ESCAPED"])
""",
    ),
    reaching(
        "begins anew without its flags",
        """
again = "print('ESCAPED') if open('/etc/passwd').read(1) else 0"
os.execve(sys.executable, [sys.executable, "-c", f"try:\\n {again}\\nexcept OSError: print('done')"
    "\\nelse: print('done')"], {})
""",
        bites=True,
    ),
    reaching(
        "climbs through __subclasses__",
        """
found = {one.__name__: one for one in ().__class__.__base__.__subclasses__()}
wrapped = found["_wrap_close"].__init__.__globals__
attempt("system", lambda: wrapped["system"]("true") == 0)
attempt("popen", lambda: wrapped["popen"]("id").read() or False)
attempt("read", lambda: wrapped["fdopen"](wrapped["open"]("/etc/passwd", 0)).read(9))
""",
        bites=True,
    ),
    reaching(
        "forks in every way",
        """
import pty
def fork(how):
    pid = how()
    if pid == 0:
        os._exit(0)
    return pid > 0
attempt("fork", fork, os.fork)
attempt("forkpty", fork, lambda: pty.fork()[0])
attempt("call", fork, lambda: libc.syscall(given["calls"]["fork"]))
attempt("vfork", fork, lambda: libc.syscall(given["calls"]["vfork"]))
attempt("clone", fork, lambda: libc.syscall(given["calls"]["clone"], 17, 0, 0, 0, 0))
""",
    ),
    reaching(
        "traces its parent",
        """
for request, pid in ((16, os.getppid()), (16, 1), (16, given["pid"]), (0x4206, given["pid"])):
    attempt(f"ptrace {request} {pid}", call, "ptrace", request, pid, 0, 0)
attempt("traceme", call, "ptrace", 0, 0, 0, 0)
""",
    ),
    reaching(
        "reads the memory of others",
        """
room = ctypes.create_string_buffer(8)
part = (ctypes.c_uint64 * 2)(ctypes.addressof(room), 8)
for pid in (os.getppid(), given["pid"]):
    for name in ("process_vm_readv", "process_vm_writev"):
        attempt(name, call, name, pid, part, 1, part, 1, 0)
attempt("kcmp", call, "kcmp", os.getpid(), given["pid"], 0, 0, 0)
""",
    ),
    reaching(
        "signals others",
        """
for pid in (os.getppid(), 1, -1, 0, given["pid"], *range(3, 300)):
    for number in (0, 2, 9, 19):
        if pid != os.getpid():
            attempt(f"kill {pid}", os.kill, pid, number)
            attempt(f"tkill {pid}", call, "tkill", pid, number)
            attempt(f"tgkill {pid}", call, "tgkill", pid, pid, number)
attempt("group", os.killpg, os.getpgid(0), 9)
""",
    ),
    reaching(
        "takes descriptors from others",
        """
for pid in (os.getppid(), 1, given["pid"]):
    attempt("pidfd", os.pidfd_open, pid)
attempt("getfd", call, "pidfd_getfd", 0, 0, 0)
attempt("signal", call, "pidfd_send_signal", 0, 9, 0, 0)
""",
        bites=True,
    ),
    reaching(
        "becomes another user",
        """
for deed in (os.setuid, os.setgid, os.seteuid, os.setegid):
    attempt(deed.__name__, deed, 0)
attempt("setresuid", os.setresuid, 0, 0, 0)
attempt("setgroups", os.setgroups, [0])
header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
attempt("capset", lambda: libc.capset(header, data) == 0)
libc.capget(header, data)
attempt("capabilities", lambda: any(data))
attempt("root", lambda: 0 in (os.getuid(), os.geteuid(), *os.getgroups()) or False)
""",
    ),
    reaching(
        "makes namespaces",
        """
for bit in (17, 25, 26, 27, 28, 29, 30, 7):
    attempt(f"unshare {bit}", call, "unshare", 1 << bit)
    attempt(f"clone {bit}", call, "clone", 1 << bit | 17, 0, 0, 0, 0)
attempt("clone3", call, "clone3", (ctypes.c_uint64 * 11)(1 << 28, 0, 0, 0, 17), 88)
attempt("setns", call, "setns", 0, 0)
""",
    ),
    reaching(
        "mounts",
        """
attempt("bind", lambda: libc.mount(b"/usr", b"/tmp", 0, 4096, 0) == 0)
attempt("proc", lambda: libc.mount(b"proc", b"/tmp", b"proc", 0, 0) == 0)
attempt("remount", lambda: libc.mount(b"none", b"/", 0, 32 | 4096, 0) == 0)
attempt("umount", lambda: libc.umount2(b"/tmp", 2) == 0)
attempt("pivot", call, "pivot_root", b".", b".")
attempt("tree", call, "open_tree", -100, b"/", 1)
attempt("fsopen", call, "fsopen", b"tmpfs", 0)
attempt("chroot", os.chroot, "/tmp")
""",
    ),
    reaching(
        "uses the kernel's keys",
        """
attempt("session", call, "keyctl", 0, -3, 1)
attempt("add", call, "add_key", b"user", given["token"].encode(), b"x", 1, -2)
attempt("request", call, "request_key", b"user", given["token"].encode(), 0, -2)
""",
        bites=True,
    ),
    reaching(
        "leaves shared memory and queues behind",
        """
attempt("shm", call, "shmget", 0, 4096, 0o1600)
attempt("msg", call, "msgget", 0, 0o1600)
attempt("sem", call, "semget", 0, 1, 0o1600)
attempt("mqueue", call, "mq_open", given["token"].encode(), 0o102, 0o600, 0)
attempt("memfd", os.memfd_create, "x")
def shared():
    from multiprocessing.shared_memory import SharedMemory
    SharedMemory(given["token"], create=True, size=4096)
attempt("posix", shared)
""",
    ),
    reaching(
        "asks the kernel for its rare parts",
        """
room = (ctypes.c_uint64 * 64)()
for name in ("bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_setup"):
    attempt(name, call, name, 1, room, 0, -1, 0)
attempt("ring", call, "io_uring_setup", 8, room)
attempt("faults", call, "userfaultfd", 1)
""",
        bites=True,
    ),
    reaching(
        "acts as the machine's owner",
        """
for name in ("kexec_load", "init_module", "swapon", "acct", "quotactl", "syslog", "reboot"):
    attempt(name, call, name, 0, 0, 0, 0)
attempt("hostname", call, "sethostname", b"x", 1)
attempt("clock", call, "settimeofday", 0, 0)
attempt("priority", os.nice, -5)
attempt("affinity", os.sched_setaffinity, 0, {0})
""",
    ),
    reaching(
        "uses descriptors it was not given",
        """
for number in range(3, 1100):
    attempt(f"stat {number}", os.fstat, number)
    attempt(f"write {number}", os.write, number, b"x")
""",
    ),
    reaching(
        "writes into what it is given to read",
        """
attempt("write", os.write, 0, b"x" * 1000000)
attempt("grow", os.ftruncate, 0, 1 << 30)
""",
    ),
    reaching(
        "lifts its limits and its filter",
        """
import resource
for name in ("AS", "CPU", "FSIZE", "NPROC", "NOFILE"):
    attempt(name, resource.setrlimit, getattr(resource, f"RLIMIT_{name}"), (1 << 40, 1 << 40))
room = (ctypes.c_uint64 * 4)()
attempt("filter", lambda: libc.prctl(22, 2, room, 0, 0) == 0)
attempt("listener", call, "seccomp", 1, 8, room)
for option in (1, 4, 36, 38, 8, 28):
    attempt(f"prctl {option}", lambda: libc.prctl(option, 0, 0, 0, 0) == 0)
attempt("personality", call, "personality", 0x0040000)
""",
        bites=True,
    ),
    reaching(
        "finds what its loader left behind",
        """
import gc, io
files = [one for one in gc.get_objects() if isinstance(one, io.FileIO)]
attempt("files", lambda: any(one.fileno() > 2 for one in files if not one.closed))
frame = sys._getframe()
while frame.f_back:
    frame = frame.f_back
attempt("names", lambda: "plan" in frame.f_globals or "file" in frame.f_globals)
""",
    ),
    reaching(
        "changes modes, owners and times outside",
        """
for path in (given["open_witness"], os.__file__, sys.executable, "/tmp"):
    attempt("chmod", os.chmod, path, 0o4777)
    attempt("chown", os.chown, path, 65534, 65534)
    attempt("utime", os.utime, path, (0, 0))
    attempt("xattr", os.setxattr, path, b"user.x", b"x")
""",
    ),
    reaching(
        "types into a terminal",
        """
import fcntl
for number in (0, 1, 2):
    attempt("type", fcntl.ioctl, number, 0x5412, b"x")
    attempt("own", fcntl.ioctl, number, 0x540E, 0)
attempt("terminal", os.open, "/dev/tty", os.O_RDWR)
attempt("owner", fcntl.fcntl, 1, 8, given["pid"])
""",
    ),
    reaching(
        "imports what trains it",
        """
sys.path[:0] = given["paths"]
for name in ("trainers.sandbox.launcher", "events.errors", "pydantic"):
    attempt(name, __import__, name)
""",
        bites=True,
    ),
)
