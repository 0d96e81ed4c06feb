// Where the page begins.
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import './styles/tokens.css';
import './styles/controls.css';
import './styles/feedback.css';
import './styles/shell.css';
import './styles/sidebar.css';
import './styles/chat.css';
import './styles/message.css';
import './styles/media.css';
import './styles/composer.css';
import './styles/panels.css';
import './styles/dialogues.css';
import { applyTheme } from './theme';

applyTheme();
const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
