// A question before something that cannot be taken back.
import { useState } from 'react';
import { attempt } from '../ui';
import { DialogueFrame } from './dialogue';

export interface ConfirmProps {
  title: string;
  text: string;
  action: string;
  perform: () => Promise<void>;
  onClose: () => void;
}

export function Confirm({ title, text, action, perform, onClose }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const confirmed = async () => {
    setBusy(true);
    await attempt(perform());
    onClose();
  };
  return (
    <DialogueFrame
      title={title}
      onClose={onClose}
      actions={
        <>
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="button" className="button button-danger" disabled={busy} onClick={() => void confirmed()}>
            {action}
          </button>
        </>
      }
    >
      <p>{text}</p>
    </DialogueFrame>
  );
}
