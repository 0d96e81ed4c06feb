// A product's backend that is told by webhooks, and how it finds out that a request is from the chat.
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

/** The code of the guide, as it is written there. */
const guide = await readFile(new URL('../../../docs/webhooks.md', import.meta.url), 'utf8');
const [, snippet] = /```js\n([\s\S]*?)```/.exec(guide);
export const { isFromChat } = await import(`data:text/javascript,${encodeURIComponent(snippet)}`);

/** A receiver that answers as `mood(event)` says and remembers what it took. */
export class Receiver {
  static async start(mood = () => 200) {
    const receiver = new Receiver();
    Object.assign(receiver, { mood, taken: [], requests: [] });
    receiver.http = createServer(async (request, response) => {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks).toString();
      const event = JSON.parse(body);
      receiver.requests.push({ headers: request.headers, body });
      const status = receiver.mood(event);
      if (status === 200) receiver.taken.push(event);
      response.writeHead(status).end('whatever');
    });
    await new Promise((resolve) => receiver.http.listen(0, '127.0.0.1', resolve));
    receiver.url = `http://127.0.0.1:${receiver.http.address().port}/chat`;
    return receiver;
  }

  /** The ids of a conversation's messages, each where it came first. */
  firstTold(conversationId) {
    const created = this.taken.filter(({ type, data }) => type === 'message.created' && data.conversationId === conversationId);
    return [...new Set(created.map(({ data }) => data.messageId))];
  }

  close() {
    this.http.closeAllConnections();
    this.http.close();
  }
}
