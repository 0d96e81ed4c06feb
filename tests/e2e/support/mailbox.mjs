// A real mail server of a test's own: it asks who writes, and keeps what it is brought, taken apart as a mail program does.
import { once } from 'node:events';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { eventually } from './wait.mjs';

const USER = 'chat';
const PASSWORD = 'p@ss:w/rd';

export class Mailbox {
  static async open() {
    const mailbox = new Mailbox();
    mailbox.server.listen(0, '127.0.0.1');
    await once(mailbox.server.server, 'listening');
    return mailbox;
  }

  constructor() {
    this.letters = [];
    this.server = new SMTPServer({
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      disableReverseLookup: true,
      onAuth: ({ username, password }, _, answer) =>
        username === USER && password === PASSWORD ? answer(null, { user: username }) : answer(new Error('who are you?')),
      onData: async (stream, { envelope }, answer) => {
        const source = Buffer.concat(await stream.toArray());
        const { headers, ...letter } = await PostalMime.parse(source);
        const header = (name) => headers.find(({ key }) => key === name)?.value;
        this.letters.push({ ...letter, header, readers: envelope.rcptTo.map(({ address }) => address) });
        answer();
      },
    });
    // A server that is killed in the middle of a letter is no failure of this one.
    this.server.on('error', () => undefined);
  }

  /** As `SMTP_URL` names it. */
  get url() {
    return `smtp://${USER}:${encodeURIComponent(PASSWORD)}@127.0.0.1:${this.server.server.address().port}`;
  }

  of(address) {
    return this.letters.filter(({ readers }) => readers.includes(address));
  }

  /** The letters to somebody, as soon as there are so many. */
  async until(address, count) {
    return eventually(`${count} letters`, () => this.of(address), (letters) => letters.length >= count);
  }

  close() {
    return new Promise((resolve) => this.server.close(resolve));
  }
}
