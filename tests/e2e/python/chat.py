"""One python-socketio client for the end-to-end suite: it joins, sends, waits for messages and reports.

Called with the server's address, a token, a conversation id, a transport and the texts that it is to send; for
each event that it hears it prints one line of JSON, which the test reads. It leaves when it is told goodbye.
"""

import asyncio
import json
import sys

import socketio


def report(event, **data):
    print(json.dumps({"event": event, **data}), flush=True)


async def main(url, token, conversation_id, transport, *texts):
    client = socketio.AsyncClient(reconnection=False)
    over = asyncio.Event()

    @client.on("new:message")
    async def new_message(data):
        message = data["message"]
        report("new:message", text=message["text"], sender=message["senderId"]["_id"], id=message["_id"])
        if message["text"] == "goodbye":
            over.set()

    @client.on("message:sent")
    async def message_sent(data):
        report("message:sent", **data)

    @client.on("typing:start")
    async def typing_start(data):
        report("typing:start", **data)

    @client.on("error")
    async def error(data):
        report("error", **data)

    @client.event
    async def connect_error(data):
        report("refused", reason=data["message"] if isinstance(data, dict) else str(data))

    try:
        await client.connect(url, auth={"token": token, "dialect": "ulearn"}, transports=[transport])
    except socketio.exceptions.ConnectionError:
        return
    await client.emit("join:conversation", {"conversationId": conversation_id})
    for text in texts:
        payload = {"conversationId": conversation_id, "text": text, "media": [], "messageType": "text"}
        ack = await client.call("send:message", payload)
        report("ack", **{key: ack.get(key) for key in ("success", "messageId", "conversationId")})
    await client.emit("message:read", {"conversationId": conversation_id, "messageIds": []})
    await client.emit("join:conversation", {"conversationId": "not-an-id"})
    report("ready")
    await over.wait()
    await client.disconnect()


asyncio.run(asyncio.wait_for(main(*sys.argv[1:]), 60))
