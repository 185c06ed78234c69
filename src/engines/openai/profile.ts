/**
 * @file The profile of a served model: which kind of server, which dialect the model speaks, what its numbers count, and
 * to what size pictures are brought before they are sent. Declared by a person or measured by `dip-r1 calibrate`.
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";
import { InputError, toError } from "../../base/errors.js";
import {
  boxLayouts,
  dialectNames,
  dialectOf,
  writtenScales,
  type Dialect,
  type PictureBudget,
  type Reading,
} from "../../response/dialects/index.js";
import { serverNames, serverOf, type ServerProfile } from "./servers.js";

const positive = z.int().positive();

/** A profile's file (YAML). */
export const profileSchema = z.strictObject({
  kind: z.literal("openai-profile"),
  server: z.enum(serverNames),
  dialect: z.enum(dialectNames),
  /** What the numbers count, where that is not what the dialect says. */
  reading: z.strictObject({ scale: z.enum(writtenScales), layout: z.enum(boxLayouts) }).optional(),
  /** Pictures are brought to sides of multiples of `factor` within the bounds; `null` = sent as they are. @default the dialect's */
  picture: z
    .strictObject({ factor: positive, minPixels: positive, maxPixels: positive })
    .nullable()
    .optional(),
  /** Further fields of each request, of this server's own (`mm_processor_kwargs`, `logit_bias`, ...). */
  extra: z.record(z.string(), z.unknown()).optional(),
  /** What a calibration saw; kept for people. */
  measured: z.record(z.string(), z.unknown()).optional(),
});

/** A profile's file, checked. */
export type ProfileFile = z.output<typeof profileSchema>;

/** A profile, ready to use. */
export interface OpenAiProfile {
  readonly server: ServerProfile;
  readonly dialect: Dialect;
  readonly reading: Reading;
  /** Absent = pictures are sent as they are. */
  readonly picture?: PictureBudget;
  /** Further fields of each request. */
  readonly extra?: Readonly<Record<string, unknown>>;
}

/** Options of {@link loadProfile}. */
export interface ProfileOptions {
  /** Kind of server, or path of a profile's file. */
  readonly profile: string;
  /** Overrides the file's. */
  readonly dialect?: string | undefined;
  /** Overrides the budget's; 0 = pictures are sent as they are. */
  readonly maxPixels?: number | undefined;
}

function withBudget(
  picture: PictureBudget | undefined,
  maxPixels: number | undefined,
): PictureBudget | undefined {
  if (maxPixels === undefined) return picture;
  if (maxPixels === 0) return undefined;
  const { factor, minPixels } = picture ?? { factor: 28, minPixels: 56 * 56 };
  if (maxPixels < factor * factor)
    throw new InputError(`--max-pixels ${maxPixels}: less than one token of ${factor} x ${factor} pixels`);
  return { factor, minPixels: Math.min(minPixels, maxPixels), maxPixels };
}

/** A profile from a file's content. @throws InputError as dialectOf does */
export function profileFrom(file: ProfileFile, options: Omit<ProfileOptions, "profile"> = {}): OpenAiProfile {
  const other = options.dialect !== undefined && options.dialect !== file.dialect;
  const dialect = dialectOf(options.dialect ?? file.dialect);
  const chosen = file.picture === undefined ? dialect.picture : (file.picture ?? undefined);
  const picture = withBudget(chosen, options.maxPixels);
  return {
    server: serverOf(file.server),
    dialect,
    // Measured with the file's dialect: another one speaks for itself.
    reading: (other ? undefined : file.reading) ?? dialect.reading,
    ...(picture !== undefined && { picture }),
    ...(file.extra !== undefined && { extra: file.extra }),
  };
}

/**
 * A profile by the name of a kind of server and a dialect, or from a file.
 * @throws InputError where neither is there, the file is not a profile, or no dialect is declared.
 */
export async function loadProfile({ profile, ...options }: ProfileOptions): Promise<OpenAiProfile> {
  if ((serverNames as readonly string[]).includes(profile)) {
    if (options.dialect === undefined)
      throw new InputError(`--server ${profile} says nothing of the model: --dialect is missing`, {
        hint: `How does the model write boxes? One of: ${dialectNames.join(", ")}. \`dip-r1 calibrate\` measures it.`,
      });
    const dialect = dialectOf(options.dialect);
    return profileFrom(
      {
        kind: "openai-profile",
        server: serverOf(profile).name as ProfileFile["server"],
        dialect: dialect.name as ProfileFile["dialect"],
      },
      options,
    );
  }
  if (!existsSync(profile)) serverOf(profile);
  let value: unknown;
  try {
    value = parse(await readFile(profile, "utf8"));
  } catch (error) {
    throw new InputError(`${profile}: not a profile: ${toError(error).message.split("\n")[0]}`, {
      cause: error,
    });
  }
  const read = profileSchema.safeParse(value);
  if (!read.success) {
    const issue = read.error.issues[0]!;
    const key = issue.path.map(String).join(".");
    throw new InputError(`${profile}: not a profile: ${key === "" ? "" : `"${key}": `}${issue.message}`, {
      hint: "`dip-r1 calibrate` writes one; docs/openai.md describes its keys.",
    });
  }
  return profileFrom(read.data, options);
}
