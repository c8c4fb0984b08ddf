"""gRPC server on Debian's python3-grpcio: handlers take and give bytes, so nothing is generated. Prints what it saw, a line each."""
import sys
import time
from concurrent import futures

import grpc


def say(text):
    print(text, flush=True)


def unary(request, context):
    sent = dict(context.invocation_metadata())
    context.send_initial_metadata((("x-initial", sent.get("x-sent", "")),))
    context.set_trailing_metadata((("x-trailing", "t"), ("x-bytes-bin", sent.get("x-bytes-bin", b""))))
    return request


def fail(request, context):
    context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not ready: größer")


def server_stream(request, context):
    for i in range(int(request)):
        yield str(i).encode()


def client_stream(requests, context):
    return str(sum(len(r) for r in requests)).encode()


def bidi(requests, context):
    for request in requests:
        yield b"echo " + request


def early(requests, context):
    next(requests)
    return b"enough"


def forever(request, context):
    context.add_callback(lambda: say("ended"))
    yield b"first"
    while context.is_active():
        time.sleep(0.02)


class Handlers(grpc.GenericRpcHandler):
    methods = {
        "/test.Door/Unary": grpc.unary_unary_rpc_method_handler(unary),
        "/test.Door/Fail": grpc.unary_unary_rpc_method_handler(fail),
        "/test.Door/ServerStream": grpc.unary_stream_rpc_method_handler(server_stream),
        "/test.Door/ClientStream": grpc.stream_unary_rpc_method_handler(client_stream),
        "/test.Door/Bidi": grpc.stream_stream_rpc_method_handler(bidi),
        "/test.Door/Early": grpc.stream_unary_rpc_method_handler(early),
        "/test.Door/Forever": grpc.unary_stream_rpc_method_handler(forever),
    }

    def service(self, details):
        say("call " + details.method)
        return self.methods.get(details.method)


server = grpc.server(futures.ThreadPoolExecutor(16), handlers=(Handlers(),), options=(("grpc.max_receive_message_length", 32 << 20), ("grpc.so_reuseport", 0)))
if server.add_insecure_port(sys.argv[1]) == 0:
    sys.exit("cannot listen on " + sys.argv[1])
server.start()
say("ready")
server.wait_for_termination()
