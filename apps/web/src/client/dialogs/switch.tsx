// Something that is on or off.
import { useId } from 'react';

export interface SwitchProps {
  label: string;
  about?: string;
  on: boolean;
  disabled?: boolean;
  onChange: (on: boolean) => void;
}

export function Switch({ label, about, on, disabled, onChange }: SwitchProps) {
  const id = useId();
  return (
    <div className="switch-line">
      <label htmlFor={id}>
        {label}
        {about && <span>{about}</span>}
      </label>
      <input
        id={id}
        type="checkbox"
        role="switch"
        className="switch"
        checked={on}
        aria-checked={on}
        disabled={disabled}
        onChange={(event) => onChange(event.target.checked)}
      />
    </div>
  );
}
