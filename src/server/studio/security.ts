/**
 * @file Who may talk to the studio: pages that this server sent, and programs on the machines it was opened to. A page of
 * another site cannot read answers, start work, or reach a server on loopback by a name of its own (DNS rebinding).
 */
import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { hostname } from "node:os";
import { HttpError } from "../http-error.js";

/** Sent with every answer. Scripts, styles and connections come from this server alone; nothing is inline. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "content-security-policy": [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join("; "),
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), microphone=(), geolocation=()",
};

/** Whether only this machine can reach the address. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

/** The name of a Host header without its port; nothing for what is none. */
function nameOf(host: string): string | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9_.-]+))(?::\d{1,5})?$/i.exec(host);
  return (match?.[1] ?? match?.[2])?.toLowerCase().replace(/\.$/, "");
}

/**
 * Whether a Host header names this server. A rebinding attack needs a name of the attacker's, so addresses pass where the
 * server listens on more than loopback. The port may be another one: tunnels change it.
 * @param bound the address that the server was told to listen on
 */
export function isOwnHost(host: string | undefined, bound: string): boolean {
  const name = host === undefined ? undefined : nameOf(host);
  if (name === undefined) return false;
  if (isLoopback(name)) return true;
  if (isLoopback(bound)) return false;
  return isIP(name) !== 0 || name === bound.toLowerCase() || name === hostname().toLowerCase();
}

/**
 * Refuses what does not come from a page of this server, or from a program without an origin.
 * @param api whether the path computes or tells something; a page may be linked to from anywhere
 * @throws HttpError `forbidden`
 */
export function checkOrigin(
  headers: IncomingHttpHeaders,
  options: { readonly bound: string; readonly api: boolean },
): void {
  const { host, origin, "sec-fetch-site": site } = headers;
  if (!isOwnHost(host, options.bound))
    throw new HttpError("forbidden", `this server is not called ${host ?? "that"}`, {
      hint: "Open it by the address that `dip-r1 studio` printed.",
    });
  if (!options.api) return;
  const sameSite = site === undefined || site === "same-origin" || site === "none";
  const sameOrigin = origin === undefined || origin.replace(/^https?:\/\//, "") === host;
  if (!sameSite || !sameOrigin)
    throw new HttpError("forbidden", "requests from pages of other sites are not answered");
}
