/** @file A setting of a view that this browser remembers. */
import { useState } from "preact/hooks";

/** What a setting can be. */
type Setting = string | number | boolean;

function read<T extends Setting>(key: string, otherwise: T, allowed: (value: T) => boolean): T {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
    return typeof value === typeof otherwise && allowed(value as T) ? (value as T) : otherwise;
  } catch {
    return otherwise;
  }
}

/**
 * The setting, and a function that changes and keeps it. Without storage it lasts as long as the view.
 * @param name Unique on the page. @param otherwise Where nothing, or nothing of use, was kept.
 * @param allowed Whether a kept value is one of this version's.
 */
export function useSetting<T extends Setting>(
  name: string,
  otherwise: T,
  allowed: (value: T) => boolean = () => true,
): readonly [T, (value: T) => void] {
  const key = `dip-r1.${name}`;
  const [value, setValue] = useState(() => read(key, otherwise, allowed));
  return [
    value,
    (next) => {
      setValue(() => next);
      try {
        localStorage.setItem(key, JSON.stringify(next));
      } catch {
        // It lasts as long as the view.
      }
    },
  ];
}
