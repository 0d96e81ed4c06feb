// Signed in: the chat. Not signed in: a way to be.
import { useCallback } from 'react';
import { ChatProvider } from '../parlance';
import { useSession } from './session';
import { Shell } from './shell';
import { SignIn } from './sign-in';

export function App() {
  const { session, ended, signIn, signOut } = useSession();
  const sessionEnded = useCallback(() => signOut('Your session has ended.'), [signOut]);
  if (!session) return <SignIn reason={ended} onSignIn={signIn} />;
  return (
    <ChatProvider key={session.bearer} token={session.token} onSessionEnded={sessionEnded}>
      <Shell onSignOut={signOut} />
    </ChatProvider>
  );
}
