/** @file The document's title, which the browser's tab and history show. */
import { useEffect } from "preact/hooks";

/** Sets the title while the view is shown. @param name Of the view, such as a run's name. */
export function useTitle(name: string): void {
  useEffect(() => {
    document.title = `${name} · dip-r1 studio`;
  }, [name]);
}
