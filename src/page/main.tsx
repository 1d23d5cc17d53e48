/// <reference types="vite/client" />
import { render } from 'preact';
import { App } from './app.tsx';

render(<App />, document.getElementById('page') as HTMLElement);

if (import.meta.env.PROD && 'serviceWorker' in navigator && isSecureContext)
  // Once the page is at rest, so that what is kept for later does not delay what is needed now.
  addEventListener('load', () =>
    setTimeout(() => navigator.serviceWorker.register('./service-worker.js').catch(() => undefined), 3000),
  );
