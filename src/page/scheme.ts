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

/** Whether the page is dark. Default: the setting of the visitor's system */
export function useScheme(): { dark: boolean; toggle(): void } {
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
  return { dark, toggle };
}
