import { useEffect, useState } from 'preact/hooks';
import { messageOf } from './messages.ts';

/** An answer that is still to come, has come, or will not. */
export type Answer<T> =
  | { readonly state: 'waiting' }
  | { readonly state: 'here'; readonly value: T }
  | { readonly state: 'failed'; readonly message: string };

/** Asks once for each thing asked about. */
export function useAnswer<About, T>(about: About, ask: (about: About) => Promise<T>): Answer<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ state: 'waiting' });
  useEffect(() => {
    let current = true;
    setAnswer({ state: 'waiting' });
    ask(about).then(
      (value) => current && setAnswer({ state: 'here', value }),
      (error) => current && setAnswer({ state: 'failed', message: messageOf(error) }),
    );
    return () => {
      current = false;
    };
  }, [about]);
  return answer;
}
