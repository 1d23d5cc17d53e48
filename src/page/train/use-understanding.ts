import { useEffect, useState } from 'preact/hooks';
import { type Understanding, type UnderstandOptions, understand } from '../../web.ts';
import { messageOf } from '../messages.ts';

export interface Understood {
  /** Whether the file is being read. */
  readonly waiting: boolean;
  /** How the file was understood last. */
  readonly value?: Understanding | undefined;
  /** Why it cannot be read. */
  readonly problem?: string | undefined;
}

/** Milliseconds without a change before a file is read. */
const PAUSE = 300;

/** Reads a file when it was chosen, and again when the way to read it changes. */
export function useUnderstanding(file: File | undefined, options: UnderstandOptions): Understood {
  const [last, setLast] = useState<Understood & { readonly file?: File; readonly way?: string }>();
  const way = JSON.stringify(options);
  useEffect(() => {
    if (!file) return;
    const stop = new AbortController();
    const { signal } = stop;
    const tell = (told: Pick<Understood, 'value' | 'problem'>): void =>
      signal.aborted ? undefined : setLast({ waiting: false, file, way, ...told });
    const timer = setTimeout(
      () =>
        understand(file, { ...options, signal }).then(
          (value) => tell({ value }),
          (error) => tell({ problem: messageOf(error) }),
        ),
      PAUSE,
    );
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [file, way]);
  if (!file || last?.file !== file) return { waiting: file !== undefined };
  // What was understood before stays in sight.
  return last.way === way ? last : { ...last, waiting: true };
}
