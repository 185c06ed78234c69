/** @file What the studio's routes work with: runs, pictures, evaluations, models and events, made once a server. */
import { packageVersion } from "../../base/fingerprint.js";
import type { Logger } from "../../base/logger.js";
import type { Detector } from "./detector.js";
import { createEvaluationStore, type EvaluationStore } from "./evaluation-images.js";
import { createEventLog, type EventLog } from "./event-log.js";
import { createPictures, type Pictures } from "./pictures.js";
import { createRunStore, type RunStore } from "./run-store.js";
import type { StudioRun } from "./studio-run.js";
import { createWatcher, type Watcher } from "./watcher.js";

/** What routes work with. */
export interface Studio {
  readonly version: string;
  /** The folder of runs as it was given. */
  readonly folder: string;
  readonly store: RunStore;
  readonly pictures: Pictures;
  readonly log: EventLog;
  readonly watcher: Watcher;
  readonly detector: Detector;
  readonly logger: Logger;
  /** Milliseconds between two signs of life of a quiet stream. */
  readonly heartbeat: number;
  evaluations(run: StudioRun): EvaluationStore;
}

/** Options of {@link createStudio}. */
export interface StudioOptions {
  readonly folder: string;
  readonly logger: Logger;
  readonly detector: (store: RunStore, pictures: Pictures) => Detector;
  /** Milliseconds between two looks for changes. @default 1000 */
  readonly interval?: number;
  /** Milliseconds between two signs of life of a quiet stream. @default 15000 */
  readonly heartbeat?: number;
}

/** Makes what routes work with; nothing is read yet. */
export async function createStudio(options: StudioOptions): Promise<Studio> {
  const { folder, logger } = options;
  const store = createRunStore(folder);
  const pictures = createPictures();
  const log = createEventLog();
  const evaluations = new WeakMap<StudioRun, EvaluationStore>();
  return {
    version: await packageVersion(),
    folder,
    store,
    pictures,
    log,
    watcher: createWatcher(store, log, options),
    detector: options.detector(store, pictures),
    logger,
    heartbeat: options.heartbeat ?? 15_000,
    evaluations(run) {
      let known = evaluations.get(run);
      if (known === undefined) evaluations.set(run, (known = createEvaluationStore(run)));
      return known;
    },
  };
}
