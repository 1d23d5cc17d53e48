import { megabytes } from '../messages.ts';
import type { Demo } from '../models/open.ts';
import { addressOf } from '../routes.ts';

/** Shown while the model is downloaded, or if that fails. */
export function Loading({ demo }: { readonly demo: Demo }) {
  if (demo.state === 'failed') {
    const missing = demo.message.includes('HTTP 404');
    return (
      <div class="notice" role="alert">
        <p>
          <b>{missing ? 'This page has no model.' : 'The model could not be loaded.'}</b>
        </p>
        <p>{missing ? 'It is expected in the folder model, next to index.html.' : `${demo.message}.`}</p>
        <p>
          You can still <a href={addressOf('train')}>train one on your own data</a>.
        </p>
      </div>
    );
  }
  const { loaded = 0, total = 0 } = demo.progress ?? {};
  return (
    <div class="loading">
      <p id="loading-label">
        Loading the model{total > 0 ? `: ${megabytes(loaded)} of ${megabytes(total)}` : '…'}
      </p>
      <progress aria-labelledby="loading-label" max={1} value={total > 0 ? loaded / total : undefined} />
      <div class="cards" aria-hidden="true">
        {Array.from({ length: 12 }, (_, at) => (
          <div key={at} class="title-card ghost-card">
            <span />
            <span />
            <span />
          </div>
        ))}
      </div>
    </div>
  );
}
