"""WebSocket echo server on Debian's python3-websockets. Prints the close code of each connection."""
import asyncio
import sys

import websockets


async def echo(socket):
    print("open " + socket.path, flush=True)
    try:
        async for message in socket:
            if message == "close":
                await socket.close(4001, "as you say")
                break
            await socket.send(message)
    finally:
        print(f"closed {socket.close_code}", flush=True)


async def main():
    async with websockets.serve(echo, sys.argv[1], int(sys.argv[2]), subprotocols=["door.v1"], max_size=8 << 20):
        print("ready", flush=True)
        await asyncio.Future()


asyncio.run(main())
