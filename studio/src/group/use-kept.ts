/** @file The last thing that was there, for views that would rather show it a moment longer than go blank. */
import { useRef } from "preact/hooks";

/** The value, or while there is none the last one there was. */
export function useKept<T>(value: T | undefined): T | undefined {
  const kept = useRef(value);
  if (value !== undefined) kept.current = value;
  return kept.current;
}
