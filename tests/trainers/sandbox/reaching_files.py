"""Hostile programs that go for files, folders and what the environment tells."""

from tests.trainers.sandbox.hostile import Hostile, reaching

FILES: tuple[Hostile, ...] = (
    reaching("reads /etc/passwd", 'attempt("passwd", read, "/etc/passwd")', bites=True),
    reaching(
        "reads /proc",
        """
for path in ("self/environ", "1/environ", "self/maps", "self/mem", f"{given['pid']}/environ"):
    attempt(path, read, f"/proc/{path}")
attempt("processes", os.listdir, "/proc")
""",
        bites=True,
    ),
    reaching(
        "reads the environment",
        """
attempt("environment", lambda: bool(set(os.environ) - {"LC_CTYPE", "MALLOC_ARENA_MAX"}))
libc.getenv.restype = ctypes.c_char_p
for name in (b"PATH", b"HOME", b"USER", b"PWD"):
    attempt(f"getenv {name}", lambda: libc.getenv(name) or False)
""",
    ),
    reaching(
        "looks into homes and the root",
        """
for folder in ("/", "/root", "/home", os.path.expanduser("~"), "/var", "/etc", "/sys", "/mnt"):
    attempt(folder, os.listdir, folder)
""",
        bites=True,
    ),
    reaching(
        "reads the files of others",
        """
for path in (given["witness"], given["open_witness"]):
    attempt(path, read, path)
""",
        bites=True,
    ),
    reaching(
        "writes everywhere",
        """
def append(path):
    with open(path, "ab") as file:
        file.write(given["token"].encode())
places = ["/", "/etc", "/usr", "/usr/lib", "/var/tmp", "/dev", "/dev/shm", "/run", given["folder"]]
places += [os.path.dirname(os.__file__), os.path.dirname(sys.executable)]
for place in places:
    attempt(place, append, f"{place}/{given['token']}")
attempt("witness", append, given["open_witness"])
""",
    ),
    reaching(
        "removes and renames what it did not make",
        """
attempt("unlink", os.unlink, given["open_witness"])
attempt("rename", os.rename, given["open_witness"], given["open_witness"] + "2")
attempt("rmdir", os.rmdir, given["folder"])
attempt("truncate", os.truncate, given["open_witness"], 0)
""",
    ),
    reaching(
        "follows a symbolic link out",
        """
def through():
    os.symlink(given["open_witness"], "link")
    return read("link")
attempt("link", through)
""",
    ),
    reaching(
        "links what is outside into its folder",
        """
def through():
    os.link(given["open_witness"], "hard")
    return read("hard")
attempt("hard link", through)
""",
    ),
    reaching(
        "climbs up by dots and by chroot",
        """
attempt("dots", read, "../" * 40 + given["open_witness"].lstrip("/"))
def climb():
    os.mkdir("jail")
    out = os.open("/", os.O_RDONLY)
    os.chroot("jail")
    os.fchdir(out)
    os.chroot("../" * 40)
    return read(given["open_witness"])
attempt("chroot", climb)
""",
        bites=True,
    ),
    reaching(
        "opens files by their handle",
        """
handle = (ctypes.c_uint32 * 40)(128, 1)
mount = ctypes.c_int()
attempt("take", call, "name_to_handle_at", -100, given["open_witness"].encode(), handle, mount, 0)
attempt("open", call, "open_by_handle_at", -100, handle, 0)
""",
    ),
    reaching(
        "goes through /proc/self",
        """
for path in ("root/etc/passwd", "cwd/../etc/passwd", "status", "cmdline", "task/1/maps"):
    attempt(path, read, f"/proc/self/{path}")
""",
        bites=True,
    ),
    reaching(
        "opens devices and makes one",
        """
for name in ("mem", "kmsg", "sda", "vda", "tty", "kvm", "net/tun", "fuse", "ptmx", "zero", "full"):
    attempt(name, read, f"/dev/{name}")
attempt("mknod", os.mknod, "device", 0o600 | 0o20000, os.makedev(1, 5))
""",
    ),
)
