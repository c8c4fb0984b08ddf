"""WebSocket client on Debian's python3-websockets. Arguments: URI, case. Prints what it came to, in one line."""
import asyncio
import sys

import websockets


async def echo(socket):
    sent = ["text", "größer", b"\x00\xff", "x" * (2 << 20), b""]
    for message in sent:
        await socket.send(message)
    same = [await socket.recv() for _ in sent] == sent
    await (await socket.ping(b"p"))
    await socket.close(1000, "done")
    return same, socket.subprotocol, socket.close_code


async def server_closes(socket):
    await socket.send("close")
    try:
        return await socket.recv()
    except websockets.ConnectionClosed as closed:
        return closed.rcvd.code, closed.rcvd.reason


async def main():
    try:
        async with websockets.connect(sys.argv[1], subprotocols=["door.v1"], max_size=8 << 20, open_timeout=15, compression=None if "plain" in sys.argv[3:] else "deflate") as socket:
            print(await globals()[sys.argv[2]](socket))
    except websockets.InvalidStatusCode as refused:
        print("status", refused.status_code)


asyncio.run(main())
