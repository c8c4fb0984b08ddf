"""gRPC client on Debian's python3-grpcio. Arguments: target, case, and for TLS the file with the CA. Prints what the case came to, in one line."""
import sys
import threading

import grpc

target, case = sys.argv[1:3]
options = (("grpc.max_receive_message_length", 32 << 20), ("grpc.enable_retries", 0), ("grpc.ssl_target_name_override", "door.test"))
if len(sys.argv) > 3:
    with open(sys.argv[3], "rb") as ca:
        channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(ca.read()), options)
else:
    channel = grpc.insecure_channel(target, options[:2])

LIMIT = 15
DOOR = "/test.Door/"


def unary():
    answer, call = channel.unary_unary(DOOR + "Unary").with_call(
        b"hello", timeout=LIMIT, metadata=(("x-sent", "a b"), ("x-bytes-bin", b"\x00\xff\x80")))
    return (answer, dict(call.initial_metadata())["x-initial"], dict(call.trailing_metadata())["x-trailing"],
            dict(call.trailing_metadata())["x-bytes-bin"], call.code().name)


def empty():
    return channel.unary_unary(DOOR + "Unary")(b"", timeout=LIMIT)


def large():
    sent = bytes(range(256)) * (8 << 12)
    return channel.unary_unary(DOOR + "Unary")(sent, timeout=LIMIT) == sent, len(sent)


def server_stream():
    got = list(channel.unary_stream(DOOR + "ServerStream")(b"500", timeout=LIMIT))
    return len(got), got[-1]


def client_stream():
    return channel.stream_unary(DOOR + "ClientStream")((b"x" * 1000 for _ in range(500)), timeout=LIMIT)


def bidi():
    """Each message waits for the echo of the one before: nothing on the way may hold back."""
    turn = threading.Semaphore(1)

    def questions():
        for i in range(50):
            turn.acquire()
            yield str(i).encode()

    got = []
    for answer in channel.stream_stream(DOOR + "Bidi")(questions(), timeout=LIMIT):
        got.append(answer)
        turn.release()
    return len(got), got[-1]


def early():
    """The answer comes while the client has not ended its stream."""
    hold = threading.Event()

    def questions():
        yield b"one"
        hold.wait(LIMIT)

    try:
        return channel.stream_unary(DOOR + "Early")(questions(), timeout=LIMIT)
    finally:
        hold.set()


def deadline():
    return list(channel.unary_stream(DOOR + "Forever")(b"", timeout=0.5))


def cancel():
    call = channel.unary_stream(DOOR + "Forever")(b"", timeout=LIMIT)
    first = next(call)
    call.cancel()
    return first, call.code().name


def many():
    """A hundred calls at once on one connection."""
    calls = [channel.unary_unary(DOOR + "Unary").future(str(i).encode() * 1000, timeout=LIMIT) for i in range(100)]
    return all(c.result() == str(i).encode() * 1000 for i, c in enumerate(calls))


def fail():
    return channel.unary_unary(DOOR + "Fail")(b"", timeout=LIMIT)


def denied():
    return channel.unary_unary("/test.Vault/Open")(b"", timeout=LIMIT)


def denied_stream():
    return list(channel.stream_stream("/test.Vault/Talk")(iter([b"a", b"b"]), timeout=LIMIT))


try:
    print(globals()[case]())
except grpc.RpcError as error:
    print(error.code().name, error.details())
