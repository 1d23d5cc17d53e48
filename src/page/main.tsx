/// <reference types="vite/client" />
import { render } from 'preact';
import { App } from './app.tsx';

render(<App />, document.getElementById('page') as HTMLElement);

if (import.meta.env.PROD && 'serviceWorker' in navigator && isSecureContext)
  // Later, so that caching files for the next visit does not delay this one.
  addEventListener('load', () =>
    setTimeout(() => navigator.serviceWorker.register('./service-worker.js').catch(() => undefined), 3000),
  );
