// A dialogue above the page: the browser keeps the focus inside and closes it with Escape.
import { X } from 'lucide-react';
import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';

export interface DialogueProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  actions?: ReactNode;
  wide?: boolean;
  /** In the title's line, before the button that closes. */
  extra?: ReactNode;
}

/** Opens a dialogue above everything. As it closes it gives the focus back, which it must do while it is in the page. */
export function useModal() {
  const dialogue = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialogue.current;
    element?.showModal();
    return () => element?.close();
  }, []);
  return dialogue;
}

export function DialogueFrame({ title, onClose, children, actions, wide, extra }: DialogueProps) {
  const dialogue = useModal();
  const heading = useId();
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the browser closes it with Escape; this is a click beside it
    <dialog
      ref={dialogue}
      className={`dialogue ${wide ? 'dialogue-wide' : ''}`}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === dialogue.current && onClose()}
    >
      <div className="dialogue-inner">
        <header className="panel-header">
          <h2 id={heading}>{title}</h2>
          {extra}
          <button type="button" className="icon-button" aria-label="Close" onClick={onClose}>
            <X />
          </button>
        </header>
        <div className="panel-body">{children}</div>
        {actions && <footer className="dialogue-actions">{actions}</footer>}
      </div>
    </dialog>
  );
}
