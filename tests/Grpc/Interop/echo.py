"""The test service with grpcio: a client's and a server's side, without generated code. Used by InteropTests."""
import sys
import threading

import grpc
from google.protobuf.wrappers_pb2 import BytesValue, StringValue

NAME = "postern.test.Echo"


def credentials(folder):
    read = lambda name: open(f"{folder}/{name}", "rb").read()
    return read("ca.pem"), read("key.pem"), read("cert.pem")


# --- server ---------------------------------------------------------------------------------------------------------

def collect(requests, _context):
    return StringValue(value="".join(request.value for request in requests))


def repeat(request, _context):
    for i in range(3):
        yield StringValue(value=request.value + str(i))


def chat(requests, context):
    context.send_initial_metadata(())
    for request in requests:
        yield request


def fail(request, context):
    code, detail = request.value.split(":", 1)
    context.set_trailing_metadata((("grpc-status-details-bin", b"\1\2\3"),))
    context.abort(next(c for c in grpc.StatusCode if c.value[0] == int(code)), detail)


def hang(request, context):
    gone = threading.Event()
    context.add_callback(gone.set)
    gone.wait(30)
    return request


def reflect(_request, context):
    mine = tuple((k, v) for k, v in context.invocation_metadata() if k.startswith("x-"))
    context.send_initial_metadata(mine)
    context.set_trailing_metadata(mine)
    return StringValue(value=context.peer())


def serve(address, folder):
    from concurrent import futures
    plain = dict(request_deserializer=StringValue.FromString, response_serializer=lambda m: m.SerializeToString())
    handlers = {
        "Unary": grpc.unary_unary_rpc_method_handler(lambda r, c: r, **plain),
        "Collect": grpc.stream_unary_rpc_method_handler(collect, **plain),
        "Repeat": grpc.unary_stream_rpc_method_handler(repeat, **plain),
        "Chat": grpc.stream_stream_rpc_method_handler(chat, **plain),
        "Fail": grpc.unary_unary_rpc_method_handler(fail, **plain),
        "Hang": grpc.unary_unary_rpc_method_handler(hang, **plain),
        "Reflect": grpc.unary_unary_rpc_method_handler(reflect, **plain),
        "Bytes": grpc.unary_unary_rpc_method_handler(lambda r, c: BytesValue(value=bytes(int(r.value))), **plain),
    }
    server = grpc.server(futures.ThreadPoolExecutor(8), compression=grpc.Compression.Gzip, options=[("grpc.max_receive_message_length", 1000000)])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))
    if folder:
        ca, key, cert = credentials(folder)
        port = server.add_secure_port(address, grpc.ssl_server_credentials([(key, cert)], ca, True))
    else:
        port = server.add_insecure_port(address)
    server.start()
    print(f"port {port}", flush=True)
    sys.stdin.read()  # until the test closes it
    server.stop(0)


# --- client ---------------------------------------------------------------------------------------------------------

def expect(what, found, wanted):
    if found != wanted:
        raise AssertionError(f"{what}: {found!r} instead of {wanted!r}")
    print("ok", what, flush=True)


def error_of(call):
    try:
        call()
    except grpc.RpcError as e:
        return e
    raise AssertionError("the call ended in OK")


def client(address, folder):
    options = [("grpc.max_receive_message_length", 100000)]
    if folder:
        ca, key, cert = credentials(folder)
        options.append(("grpc.ssl_target_name_override", "localhost"))
        channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(ca, key, cert), options)
    else:
        channel = grpc.insecure_channel(address, options)
    out = lambda m: m.SerializeToString()
    unary = lambda name, reply=StringValue: channel.unary_unary(f"/{NAME}/{name}", out, reply.FromString)
    text = lambda value: StringValue(value=value)

    expect("unary", unary("Unary")(text("hällo")).value, "hällo")
    expect("client stream", channel.stream_unary(f"/{NAME}/Collect", out, StringValue.FromString)(iter([text("a"), text("b")])).value, "ab")
    expect("server stream", [r.value for r in channel.unary_stream(f"/{NAME}/Repeat", out, StringValue.FromString)(text("n"))], ["n0", "n1", "n2"])
    expect("duplex", [r.value for r in channel.stream_stream(f"/{NAME}/Chat", out, StringValue.FromString)(iter([text("a"), text("b")]))], ["a", "b"])
    expect("gzip", unary("Unary")(text("z" * 50000), compression=grpc.Compression.Gzip).value, "z" * 50000)
    e = error_of(lambda: unary("Fail")(text("9:100 % größe\n象")))
    expect("status", (e.code(), e.details()), (grpc.StatusCode.FAILED_PRECONDITION, "100 % größe\n象"))
    expect("details", dict(e.trailing_metadata())["grpc-status-details-bin"], b"\1\2\3")
    expect("crash", error_of(lambda: unary("Crash")(text(""))).code(), grpc.StatusCode.UNKNOWN)
    expect("unknown method", error_of(lambda: unary("Nothing")(text(""))).code(), grpc.StatusCode.UNIMPLEMENTED)
    expect("deadline", error_of(lambda: unary("Hang")(text(""), timeout=0.2)).code(), grpc.StatusCode.DEADLINE_EXCEEDED)
    future = unary("Hang").future(text(""))
    future.cancel()
    expect("cancelled", future.code(), grpc.StatusCode.CANCELLED)
    metadata = (("x-text", "some text"), ("x-bytes-bin", b"\0\xff\x80"))
    _, call = unary("Reflect").with_call(text(""), metadata=metadata)
    for part in (call.initial_metadata(), call.trailing_metadata()):
        expect("metadata", tuple((k, v) for k, v in part if k.startswith("x-")), metadata)
    expect("response too large", error_of(lambda: unary("Bytes", BytesValue)(text("200000"))).code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
    expect("request too large", error_of(lambda: unary("Unary")(text("x" * 1100000))).code(), grpc.StatusCode.RESOURCE_EXHAUSTED)
    print("done", flush=True)


if __name__ == "__main__":
    {"client": client, "server": serve}[sys.argv[1]](sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None)
