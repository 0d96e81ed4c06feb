// How far one's own message has come.
import { Check, CheckCheck, CircleAlert, Clock3 } from 'lucide-react';
import type { MessageStatus } from '../../parlance';

const LOOKS = {
  waiting: { icon: Clock3, label: 'Waiting to be sent' },
  failed: { icon: CircleAlert, label: 'Not sent' },
  sent: { icon: Check, label: 'Sent' },
  delivered: { icon: CheckCheck, label: 'Delivered' },
  read: { icon: CheckCheck, label: 'Read' },
};

export function Ticks({ status }: { status: MessageStatus | 'waiting' | 'failed' }) {
  const { icon: Icon, label } = LOOKS[status];
  return (
    <span className={`ticks ticks-${status}`} title={label}>
      <Icon aria-hidden="true" />
      <span className="visually-hidden">{label}</span>
    </span>
  );
}
