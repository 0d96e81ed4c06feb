// The one dialogue that is open.
import { show, useUi } from '../ui';
import { Confirm } from './confirm';
import { NotificationCentre } from './notification-centre';
import { AddPeople, NewChat, NewGroup } from './people-dialogues';
import { Picture } from './picture';
import { ReactWith } from './react-with';
import { Settings } from './settings';

const close = () => show(null);

export function Dialogues({ onSignOut }: { onSignOut: () => void }) {
  const dialogue = useUi((ui) => ui.dialogue);
  switch (dialogue?.kind) {
    case 'new-chat':
      return <NewChat onClose={close} />;
    case 'new-group':
      return <NewGroup onClose={close} />;
    case 'add-people':
      return <AddPeople conversationId={dialogue.conversationId} onClose={close} />;
    case 'settings':
      return <Settings onClose={close} onSignOut={onSignOut} />;
    case 'notifications':
      return <NotificationCentre onClose={close} />;
    case 'react':
      return <ReactWith message={dialogue.message} onClose={close} />;
    case 'picture':
      return <Picture media={dialogue.media} index={dialogue.index} onClose={close} />;
    case 'confirm':
      return <Confirm {...dialogue} onClose={close} />;
    case undefined:
      return null;
  }
}
