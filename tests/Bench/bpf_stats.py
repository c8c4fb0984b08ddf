"""How long BPF programs ran, as the kernel counts it itself (kernel.bpf_stats_enabled, bpf(2) BPF_OBJ_GET_INFO_BY_FD)."""
import ctypes
import os
import platform
import struct

from process import BenchError

SWITCH = "/proc/sys/kernel/bpf_stats_enabled"
CALLS = {"x86_64": 321, "aarch64": 280}
GET_NEXT_ID, GET_FD_BY_ID, GET_INFO = 11, 13, 15
INFO_SIZE, NAME_AT, TIMES_AT = 208, 64, 192  # struct bpf_prog_info: name, and run_time_ns with run_cnt behind it

libc = ctypes.CDLL(None, use_errno=True)


class Enabled:
    """Counting costs every program of the machine some 20 ns a run, so it is on only within, and set back to what it was."""

    def __enter__(self):
        with open(SWITCH) as switch:
            self._before = switch.read()
        self._write("1")

    def __exit__(self, *_):
        self._write(self._before)

    @staticmethod
    def _write(value):
        with open(SWITCH, "w") as switch:
            switch.write(value)


def bpf(what, attributes):
    block = ctypes.create_string_buffer(attributes, 128)
    result = libc.syscall(CALLS[platform.machine()], what, block, 128)
    return (result if result >= 0 else -ctypes.get_errno()), block.raw


def read(name):
    """(nanoseconds, runs) of all programs of that name together."""
    nanoseconds = runs = ident = 0
    while True:
        result, block = bpf(GET_NEXT_ID, struct.pack("=II", ident, 0))
        if result < 0:
            if result == -2:  # ENOENT: that was the last
                return nanoseconds, runs
            raise BenchError(f"cannot list BPF programs: {os.strerror(-result)}; run as root")
        ident = struct.unpack_from("=I", block, 4)[0]
        descriptor, _ = bpf(GET_FD_BY_ID, struct.pack("=I", ident))
        if descriptor < 0:
            continue  # gone meanwhile
        info = ctypes.create_string_buffer(INFO_SIZE)
        result, _ = bpf(GET_INFO, struct.pack("=IIQ", descriptor, INFO_SIZE, ctypes.addressof(info)))
        os.close(descriptor)
        if result == 0 and info.raw[NAME_AT:NAME_AT + 16].split(b"\0")[0].decode() == name:
            times = struct.unpack_from("=QQ", info.raw, TIMES_AT)
            nanoseconds, runs = nanoseconds + times[0], runs + times[1]
