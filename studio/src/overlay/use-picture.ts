/** @file A picture of the server's as something to draw, loaded once however many canvases show it. */
import { useEffect, useState } from "preact/hooks";
import type { Picture } from "./paint.js";

/** A picture on its way, here, or not to be had. */
export interface PictureState {
  readonly picture: Picture;
  readonly failed: boolean;
}

interface Kept {
  readonly loaded: Promise<HTMLImageElement>;
  picture?: HTMLImageElement;
}

/** The pictures looked at last; a run has thousands, of which a page shows one. */
const kept = new Map<string, Kept>();
const KEEP = 24;

function load(url: string): Kept {
  const known = kept.get(url);
  if (known !== undefined) {
    kept.delete(url);
    kept.set(url, known);
    return known;
  }
  const image = new Image();
  image.decoding = "async";
  image.src = url;
  const entry: Kept = { loaded: image.decode().then(() => image) };
  entry.loaded.then(
    () => {
      entry.picture = image;
    },
    () => kept.delete(url),
  );
  kept.set(url, entry);
  const oldest = kept.keys().next();
  if (kept.size > KEEP && oldest.done !== true) kept.delete(oldest.value);
  return entry;
}

/** Begins to load a picture that is likely to be wanted next. */
export function preloadPicture(url: string): void {
  load(url).loaded.catch(() => undefined);
}

/** The picture at an address of this server; nothing for none. */
export function usePicture(url: string | undefined): PictureState {
  const known = url === undefined ? undefined : kept.get(url)?.picture;
  const [state, setState] = useState<PictureState & { readonly url?: string | undefined }>({
    url,
    picture: known,
    failed: false,
  });
  useEffect(() => {
    if (url === undefined) {
      setState({ url, picture: undefined, failed: false });
      return;
    }
    let gone = false;
    load(url).loaded.then(
      (picture) => {
        if (!gone) setState({ url, picture, failed: false });
      },
      () => {
        if (!gone) setState({ url, picture: undefined, failed: true });
      },
    );
    return () => {
      gone = true;
    };
  }, [url]);
  // Another picture's pixels never stand under this one's boxes.
  return state.url === url ? state : { picture: known, failed: false };
}
