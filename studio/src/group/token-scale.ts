/** @file What tokens are coloured by: how sure the policy was, how far it went from the reference, what each was paid. */
import type { TokenTrack } from "../../../src/server/studio/api.js";

/** What colours the text. */
export type TextColour = "sections" | "probability" | "ratio" | "advantage";

/** A token's shade. */
export interface TokenShade {
  /** 0 = plain, 1 = the strongest shade. */
  readonly share: number;
  /** Which of the two hues; `up` for scales of one hue. */
  readonly side: "up" | "down";
  /** The number in words. */
  readonly words: string;
}

/** Probabilities of this and less get the full shade. */
const UNLIKELY = 0.02;
/** The policy so many times likelier or less likely than the reference gets the full shade. */
const RATIO = 3;

/** What the run recorded. */
export function availableColours(track: TokenTrack | null): ReadonlySet<TextColour> {
  return new Set<TextColour>([
    "sections",
    ...(track === null ? [] : (["probability"] as const)),
    ...(track?.referenceLogprobs ? (["ratio"] as const) : []),
    ...(track?.advantages ? (["advantage"] as const) : []),
  ]);
}

/** Largest absolute advantage of a group's tokens, the full shade of all its responses; 0 for none. */
export function advantageSpan(tracks: readonly (TokenTrack | null)[]): number {
  let span = 0;
  for (const track of tracks)
    for (const value of track?.advantages ?? []) span = Math.max(span, Math.abs(value));
  return span;
}

const signed = (value: number) => `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
const probability = (logprob: number) => {
  const p = Math.exp(logprob);
  return p >= 0.001 ? p.toFixed(3) : p.toExponential(1);
};

/**
 * The shade of one token; nothing where nothing was recorded of it.
 * @param span of {@link advantageSpan}
 */
export function tokenShade(
  track: TokenTrack,
  token: number,
  colour: TextColour,
  span: number,
): TokenShade | undefined {
  const logprob = track.logprobs[token];
  if (colour === "sections" || logprob === undefined) return undefined;
  if (colour === "probability") {
    const share = Math.min(1, Math.max(0, logprob / Math.log(UNLIKELY)));
    return { share, side: "up", words: `probability ${probability(logprob)}` };
  }
  if (colour === "ratio") {
    const reference = track.referenceLogprobs?.[token];
    if (reference === undefined) return undefined;
    const log = logprob - reference;
    return {
      share: Math.min(1, Math.abs(log) / Math.log(RATIO)),
      side: log < 0 ? "down" : "up",
      words: `ratio to the reference ${Math.exp(log).toFixed(2)} (${probability(logprob)} to ${probability(reference)})`,
    };
  }
  const advantage = track.advantages?.[token];
  if (advantage === undefined) return undefined;
  return {
    share: span > 0 ? Math.min(1, Math.abs(advantage) / span) : 0,
    side: advantage < 0 ? "down" : "up",
    words: `advantage ${signed(advantage)}`,
  };
}

/** Both ends of a scale in words, for its legend. */
export function scaleEnds(
  colour: Exclude<TextColour, "sections">,
  span: number,
): { readonly low: string; readonly high: string; readonly sides: 1 | 2 } {
  if (colour === "probability") return { low: "certain", high: `${100 * UNLIKELY}% or less`, sides: 1 };
  if (colour === "ratio") return { low: `1/${RATIO} of the reference`, high: `${RATIO} times it`, sides: 2 };
  return { low: signed(-span), high: signed(span), sides: 2 };
}
