import { useEffect, useState } from 'preact/hooks';
import type { FetchProgress } from '../../web.ts';
import { messageOf } from '../messages.ts';
import { openDemo } from './open.ts';
import type { PageModel } from './page-model.ts';

/** The model beside the page, as far as it has come. */
export type Demo =
  | { readonly state: 'loading'; readonly progress?: FetchProgress }
  | { readonly state: 'ready'; readonly model: PageModel }
  | { readonly state: 'failed'; readonly message: string; readonly missing: boolean };

export function useDemo(): Demo {
  const [demo, setDemo] = useState<Demo>({ state: 'loading' });
  useEffect(() => {
    openDemo((progress) =>
      setDemo((now) => (now.state === 'loading' ? { state: 'loading', progress } : now)),
    ).then(
      (model) => setDemo({ state: 'ready', model }),
      (error: unknown) => {
        const message = messageOf(error);
        setDemo({ state: 'failed', message, missing: message.includes('HTTP 404') });
      },
    );
  }, []);
  return demo;
}
