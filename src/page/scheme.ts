import { options } from 'preact';
import { useEffect, useState } from 'preact/hooks';

const KEY = 'cofactor.scheme';
const prefersDark = matchMedia('(prefers-color-scheme: dark)');

function kept(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

/** Renders what a change of state needs at once, because a browser does not wait before it prints. */
function atOnce(change: () => void): void {
  const { debounceRendering } = options;
  options.debounceRendering = (render) => render();
  change();
  options.debounceRendering = debounceRendering;
}

/** Whether the page is being printed. */
function usePrinting(): boolean {
  const [printing, setPrinting] = useState(false);
  useEffect(() => {
    const before = (): void => atOnce(() => setPrinting(true));
    const after = (): void => setPrinting(false);
    addEventListener('beforeprint', before);
    addEventListener('afterprint', after);
    return () => {
      removeEventListener('beforeprint', before);
      removeEventListener('afterprint', after);
    };
  }, []);
  return printing;
}

/** Whether the page is dark; on paper it is not. Default: the setting of the visitor's system */
export function useScheme(): { dark: boolean; toggle(): void } {
  const printing = usePrinting();
  const [dark, setDark] = useState(() => (kept() ?? (prefersDark.matches ? 'dark' : 'light')) === 'dark');
  useEffect(() => {
    document.documentElement.dataset.scheme = dark ? 'dark' : 'light';
  }, [dark]);
  useEffect(() => {
    const follow = ({ matches }: MediaQueryListEvent): void => {
      if (kept() === null) setDark(matches);
    };
    prefersDark.addEventListener('change', follow);
    return () => prefersDark.removeEventListener('change', follow);
  }, []);
  const toggle = (): void => {
    setDark(!dark);
    try {
      localStorage.setItem(KEY, dark ? 'light' : 'dark');
    } catch {
      // If the browser stores nothing, the choice lasts until the page is closed.
    }
  };
  return { dark: dark && !printing, toggle };
}
