"""The door manager of Cloud City: door_server.py PORT LOG. One line in LOG for each call that reaches it: who, method, door."""

import sys
from concurrent import futures

import grpc

from door_wire import SERVICE, decode, encode

log = open(sys.argv[2], "a", buffering=1)


def seen(context, method, door):
    log.write(f"{context.peer().rsplit(':', 1)[0].removeprefix('ipv4:')} {method} {door}\n")


def unary(method, answer):
    def call(request, context):
        fields = decode(request)
        seen(context, method, fields.get(1, 0))
        return answer(fields)

    return grpc.unary_unary_rpc_method_handler(call)


def patrol(requests, context):
    """The state of each door as soon as the droid stands in front of it: a stream in both directions at once."""
    for request in requests:
        door = decode(request).get(1, 0)
        seen(context, "Patrol", door)
        yield encode(f1=door % 2)


METHODS = {
    "GetName": unary("GetName", lambda f: encode(f1=f"Spaceport Door #{f.get(1, 0)}")),
    "GetLocation": unary("GetLocation", lambda f: encode(f1=10.25, f2=68.5)),
    "GetStatus": unary("GetStatus", lambda f: encode(f1=f.get(1, 0) % 2)),
    "RequestMaintenance": unary("RequestMaintenance", lambda f: encode(f1=len(f.get(2, "")) > 0)),
    "SetAccessCode": unary("SetAccessCode", lambda f: encode(f1=True)),
    "Patrol": grpc.stream_stream_rpc_method_handler(patrol),
}

server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, METHODS),))
server.add_insecure_port(f"0.0.0.0:{sys.argv[1]}")
server.start()
server.wait_for_termination()
