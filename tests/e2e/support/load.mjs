// Clients that keep sending, each message with an id of its own, and remember what was acked: what a crash or
// a shutdown may not take away.
import { randomUUID } from 'node:crypto';

export class Load {
  constructor(clients, conversationId) {
    this.conversationId = conversationId;
    /** Per client: {text, clientMessageId, messageId?} in the order sent; `messageId` once acked. */
    this.sent = new Map(clients.map((client) => [client, []]));
    this.running = true;
    this.loops = clients.map((client) => this.#loop(client));
  }

  get acked() {
    return [...this.sent.values()].flat().filter((message) => message.messageId);
  }

  async #loop(client) {
    for (let count = 0; this.running; count++) {
      const message = { text: `${client.person.name} ${count}`, clientMessageId: randomUUID() };
      this.sent.get(client).push(message);
      // A few in flight: the limit is on those without an answer.
      const answer = client.socket
        .timeout(20_000)
        .emitWithAck(...client.sending(this.conversationId, message.text, { clientMessageId: message.clientMessageId }))
        .then(
          (ack) => {
            if (ack.success) message.messageId = ack.messageId;
          },
          () => undefined, // No answer: it may be stored or not, and the retry will tell.
        );
      if (count % 4 === 3) await answer;
      if (!client.socket.connected) return;
    }
  }

  stop() {
    this.running = false;
  }
}
