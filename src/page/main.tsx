/// <reference types="vite/client" />
import { render } from 'preact';
import { App } from './app.tsx';

render(<App />, document.getElementById('page') as HTMLElement);

// Async, because the mere look at `navigator.serviceWorker` throws in a sandboxed frame.
const register = async (): Promise<unknown> => navigator.serviceWorker.register('./service-worker.js');

if (import.meta.env.PROD && 'serviceWorker' in navigator && isSecureContext)
  // Later, so that caching files for the next visit does not delay this one.
  addEventListener('load', () => setTimeout(() => register().catch(() => undefined), 3000));
