/** @file What a zod schema would have accepted at a path: the keys and the choices that an error message names. */
import { z } from "zod";

/** A zod schema's own description of itself, as far as it is needed here. */
type Definition = z.core.$ZodType & {
  readonly _zod: {
    readonly def: {
      readonly type: string;
      readonly innerType?: z.core.$ZodType;
      readonly in?: z.core.$ZodType;
      readonly out?: z.core.$ZodType;
      readonly shape?: Readonly<Record<string, z.core.$ZodType>>;
      readonly options?: readonly z.core.$ZodType[];
      readonly valueType?: z.core.$ZodType;
      readonly element?: z.core.$ZodType;
      readonly discriminator?: string;
      readonly getter?: () => z.core.$ZodType;
      readonly entries?: Readonly<Record<string, string | number>>;
      readonly values?: readonly unknown[];
    };
  };
};

/** The schemas that a schema stands for once defaults, optionals, pipes and unions are looked through. */
function alternatives(schema: z.core.$ZodType): Definition[] {
  const definition = schema as Definition;
  const def = definition._zod.def;
  if (def.type === "lazy" && def.getter) return alternatives(def.getter());
  // What a pipe ends in says more than what it takes, unless that is code.
  if (def.type === "pipe" && def.in && def.out)
    return alternatives((def.out as Definition)._zod.def.type === "transform" ? def.in : def.out);
  if (def.type === "union" && def.options) return def.options.flatMap(alternatives);
  if (def.innerType) return alternatives(def.innerType);
  return [definition];
}

/** The values a literal or enum takes, as text; none for other types. */
function literalChoices(schema: z.core.$ZodType): string[] {
  return alternatives(schema).flatMap(({ _zod: { def } }) =>
    def.entries ? Object.values(def.entries).map(String) : (def.values ?? []).map(String),
  );
}

/** The alternatives at `path` that fit the tags (`kind`, `format`) that `value` holds on the way. */
function at(schema: z.core.$ZodType, path: readonly PropertyKey[], value: unknown): Definition[] {
  const all = alternatives(schema);
  // Of a tagged union only the variant that was meant counts, where that can be told.
  const fitting = all.filter(({ _zod: { def } }) =>
    Object.entries(def.shape ?? {}).every(([key, field]) => {
      const literals = (field as Definition)._zod.def.type === "literal" ? literalChoices(field) : [];
      const written = (value as Record<string, unknown> | undefined)?.[key];
      return literals.length === 0 || typeof written !== "string" || literals.includes(written);
    }),
  );
  const candidates = fitting.length > 0 ? fitting : all;
  if (path.length === 0) return candidates;
  const [head, ...rest] = path;
  const next = (value as Record<PropertyKey, unknown> | undefined)?.[head!];
  return candidates.flatMap(({ _zod: { def } }) => {
    const child = def.shape?.[String(head)] ?? def.valueType ?? def.element;
    return child ? at(child, rest, next) : [];
  });
}

/** The keys that the object at `path` may have, given the value around it. */
export function keysAt(schema: z.core.$ZodType, path: readonly PropertyKey[], value: unknown): string[] {
  return [...new Set(at(schema, path, value).flatMap(({ _zod: { def } }) => Object.keys(def.shape ?? {})))];
}

/** The literal values that may stand at `path`; none where the type is open (numbers, text). */
export function choicesAt(schema: z.core.$ZodType, path: readonly PropertyKey[], value: unknown): string[] {
  const parent = path.slice(0, -1);
  const key = path.at(-1);
  if (key === undefined) return [];
  // Every variant's tag is a choice, also those that the other keys do not fit.
  const owners = at(schema, parent.slice(0, -1), value)
    .flatMap(({ _zod: { def } }) => {
      const last = parent.at(-1);
      const child = last === undefined ? schema : (def.shape?.[String(last)] ?? def.valueType ?? def.element);
      return child ? alternatives(child) : [];
    })
    .flatMap(({ _zod: { def } }) => def.shape?.[String(key)] ?? def.valueType ?? def.element ?? []);
  return [...new Set(owners.flatMap(literalChoices))];
}
