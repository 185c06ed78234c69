/** @file A view whose code is fetched when it is first opened. */
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Failure } from "./failure.js";
import { Waiting } from "./waiting.js";

/**
 * Makes a component of a module's default export.
 * @param load The import; called once, and again after a failure.
 */
export function lazyView<P extends object>(
  load: () => Promise<{ readonly default: ComponentType<P> }>,
): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  return function LazyView(props: P) {
    const [view, setView] = useState<{ readonly shown?: ComponentType<P>; readonly error?: unknown }>({
      shown: loaded,
    });
    const [attempt, setAttempt] = useState(0);
    useEffect(() => {
      if (loaded) return;
      let gone = false;
      load().then(
        (module) => {
          loaded = module.default;
          if (!gone) setView({ shown: loaded });
        },
        (error: unknown) => {
          if (!gone) setView({ error });
        },
      );
      return () => {
        gone = true;
      };
    }, [attempt]);
    const Shown = view.shown;
    if (Shown) return <Shown {...props} />;
    if (view.error !== undefined)
      return (
        <Failure
          error={view.error}
          retry={() => {
            setView({});
            setAttempt(attempt + 1);
          }}
        />
      );
    return <Waiting for="the view" />;
  };
}
