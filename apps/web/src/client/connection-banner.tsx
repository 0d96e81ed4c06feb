// Whether the server can be reached, said while it cannot. What is written meanwhile is kept.
import { CloudOff, LoaderCircle, WifiOff } from 'lucide-react';
import { useEffect, useState } from 'react';
import { useChatState, useConnection } from '../parlance';
import { RETRY_DELAYS_MS } from '../parlance/connection';
import { useNow } from './format';

/** A reconnect that takes no longer than this is nobody's business. */
const UNSEEN_MS = 400;

export function ConnectionBanner() {
  const connection = useConnection();
  const ready = useChatState((state) => state.ready);
  const { status } = connection;
  const away = status !== 'connected' && status !== 'idle';
  const seen = useDelayed(away, ready ? UNSEEN_MS : 1_500);
  return (
    <div className="banner-place" role="status" aria-live="polite">
      {away && seen && <Banner {...connection} />}
    </div>
  );
}

function Banner({ status, attempt, retryAt, slow, connect }: ReturnType<typeof useConnection>) {
  const now = useNow(500);
  if (status === 'offline') {
    return (
      <div className="banner">
        <WifiOff aria-hidden="true" />
        <span>You are offline. What you write is sent when you are back.</span>
      </div>
    );
  }
  if (status === 'failed') {
    return (
      <div className="banner banner-bad">
        <CloudOff aria-hidden="true" />
        <span>The server cannot be reached. What you write is kept.</span>
        <button type="button" className="banner-button" onClick={connect}>
          Try again
        </button>
      </div>
    );
  }
  const seconds = retryAt ? Math.max(1, Math.ceil((retryAt - now) / 1000)) : 0;
  const tries = `try ${Math.max(1, attempt)} of ${RETRY_DELAYS_MS.length}`;
  return (
    <div className="banner">
      <LoaderCircle className="spinning" aria-hidden="true" />
      <span>
        {slow ? 'This takes longer than usual. ' : ''}
        {status === 'waiting' ? (
          <>
            Connection lost. <span aria-hidden="true">{`Next ${tries} in ${seconds} s.`}</span>
          </>
        ) : (
          'Connecting …'
        )}
      </span>
      {status === 'waiting' && (
        <button type="button" className="banner-button" onClick={connect}>
          Now
        </button>
      )}
    </div>
  );
}

function useDelayed(wanted: boolean, ms: number): boolean {
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (!wanted) return setShown(false);
    const timer = setTimeout(() => setShown(true), ms);
    return () => clearTimeout(timer);
  }, [wanted, ms]);
  return shown;
}
