import { useEffect, useState } from 'preact/hooks';
import { messageOf } from './messages.ts';

/** The state of an asynchronous answer. */
export type Answer<T> =
  | { readonly state: 'waiting' }
  | { readonly state: 'here'; readonly value: T }
  | { readonly state: 'failed'; readonly message: string };

/** Calls `ask` once for each value of `about`. */
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
