// Signing in: at a `--dev` server one chooses or makes a demo user. Elsewhere people come from the product, with its
// token; this page then says so.
import { ArrowRight, MessageSquareText } from 'lucide-react';
import { type FormEvent, useEffect, useState } from 'react';
import type { User } from '../parlance';
import { UserAvatar } from './avatar';

/** What a `--dev` server answers; `null` from any other. */
async function call<T>(path: string, body?: unknown): Promise<T | null> {
  const headers = { 'content-type': 'application/json' };
  const request = body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await fetch(`/api/v1/dev/${path}`, request);
  if (response.status === 404) return null;
  const answer = await response.json();
  if (!answer.success) throw new Error(answer.message);
  return answer.data;
}

type People = { known: User[] } | 'loading' | 'elsewhere' | 'unreachable';

export function SignIn({ reason, onSignIn }: { reason: string | null; onSignIn: (token: string) => void }) {
  const [people, setPeople] = useState<People>('loading');
  const [name, setName] = useState('');
  const [problem, setProblem] = useState<string | null>(null);

  useEffect(() => {
    call<{ users: User[] }>('people')
      .then((answer) => setPeople(answer ? { known: answer.users } : 'elsewhere'))
      .catch(() => setPeople('unreachable'));
  }, []);

  const enter = (wanted: { userId: string } | { name: string }) =>
    call<{ token: string }>('sign-in', wanted)
      .then((answer) => (answer ? onSignIn(answer.token) : setPeople('elsewhere')))
      .catch((error: Error) => setProblem(error.message));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (name.trim()) void enter({ name });
  };

  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <span className="sign-in-mark" aria-hidden="true">
          <MessageSquareText />
        </span>
        <h1>Parlance</h1>
        {reason && <p role="status">{reason}</p>}
        {people === 'loading' && <p role="status">One moment …</p>}
        {people === 'elsewhere' && <Elsewhere />}
        {people === 'unreachable' && <p role="alert">The server cannot be reached. Reload the page to try again.</p>}
        {typeof people === 'object' && (
          <>
            <p>Who do you want to be? Open a second window and be somebody else to see both sides.</p>
            <ul className="sign-in-people">
              {people.known.map((user) => (
                <li key={user._id}>
                  <button type="button" className="person-button" onClick={() => void enter({ userId: user._id })}>
                    <UserAvatar user={user} />
                    <span>{user.fullName}</span>
                    <ArrowRight aria-hidden="true" />
                  </button>
                </li>
              ))}
            </ul>
            <form className="sign-in-new" onSubmit={submit}>
              <label htmlFor="sign-in-name">Or somebody new</label>
              <div>
                <input
                  id="sign-in-name"
                  className="field"
                  value={name}
                  maxLength={60}
                  autoComplete="off"
                  placeholder="Name"
                  onChange={(event) => setName(event.target.value)}
                />
                <button type="submit" className="button button-primary" disabled={!name.trim()}>
                  Sign in
                </button>
              </div>
            </form>
            {problem && <p role="alert">{problem}</p>}
            <p className="sign-in-note">This is a server for trying out: nobody has to prove who they are.</p>
          </>
        )}
      </div>
    </main>
  );
}

function Elsewhere() {
  return (
    <>
      <p>Please sign in where you got the link to this page. Your product opens the chat with your access token.</p>
      <p className="sign-in-note">
        To try things out, start the server with <code>--dev</code>.
      </p>
    </>
  );
}
