"""The 50 rules that every proxy has to walk, and the one request that is measured. The 25th rule is the one that matches it."""

COUNT = 50
MATCHING = 25
METHODS = ("GET", "POST", "PUT", "DELETE")


def path(number):
    return f"/api/v1/resources/{number:02d}/items"


def rules():
    """(method, path) of each rule, in order. The rule that matches asks for GET."""
    return [("GET" if number == MATCHING else METHODS[number % 4], path(number)) for number in range(1, COUNT + 1)]


ALLOWED = ("GET", path(MATCHING))
DENIED = (("POST", path(MATCHING)), ("GET", "/api/v1/secrets"))

# Used by `bulk`: any number of bytes may be fetched and stored. HAProxy and nginx take the same expressions.
BULK = [("GET", "/bulk/[0-9]+"), ("PUT", "/bulk/[0-9]+")]


def grpc_path(number):
    # The suffix makes the origin, which serves files, say the content type of gRPC.
    return f"/bench.v1.Resources/Get{number:02d}.grpc"


def grpc_rules():
    return [("POST", grpc_path(number)) for number in range(1, COUNT + 1)]


GRPC_ALLOWED = ("POST", grpc_path(MATCHING))
