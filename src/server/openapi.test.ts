import { describe, expect, it } from "vitest";
import { z } from "zod";
import { openApiDocument } from "./openapi.js";
import { rewardRoutes } from "./routes.js";

/** What OpenAPI 3.1 asks of the parts that we use; unknown keys are errors. */
const content = z.record(
  z.string().regex(/^[a-z]+\/[a-z.+-]+$/),
  z.strictObject({ schema: z.record(z.string(), z.unknown()) }),
);
const response = z.strictObject({
  description: z.string().min(1),
  headers: z
    .record(z.string(), z.strictObject({ schema: z.looseObject({}), description: z.string() }))
    .optional(),
  content: content.optional(),
});
const operation = z.strictObject({
  operationId: z.string().regex(/^[A-Za-z0-9]+$/),
  summary: z.string().min(1),
  security: z.array(z.record(z.string(), z.array(z.string()))).optional(),
  parameters: z
    .array(
      z.strictObject({
        name: z.string(),
        in: z.enum(["query", "header", "path", "cookie"]),
        required: z.boolean(),
        description: z.string().optional(),
        schema: z.looseObject({}),
      }),
    )
    .optional(),
  requestBody: z.strictObject({ required: z.boolean(), content }).optional(),
  responses: z
    .record(z.string().regex(/^[1-5]\d\d$/), response)
    .refine((all) => Object.keys(all).some((status) => status.startsWith("2"))),
});
const document = z.strictObject({
  openapi: z.string().regex(/^3\.1\.\d$/),
  info: z.strictObject({ title: z.string(), version: z.string(), description: z.string() }),
  paths: z.record(
    z.string().startsWith("/"),
    z.strictObject({ get: operation.optional(), post: operation.optional() }),
  ),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  components: z.strictObject({
    securitySchemes: z.record(
      z.string(),
      z.strictObject({ type: z.literal("http"), scheme: z.literal("bearer") }),
    ),
    schemas: z.record(z.string().regex(/^[A-Za-z0-9.\-_]+$/), z.looseObject({})),
  }),
});

const made = JSON.parse(JSON.stringify(openApiDocument("1.2.3"))) as Record<string, unknown>;

/** Every value of a key, at any depth. */
function valuesOf(key: string, value: unknown): unknown[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, child]) => [
    ...(name === key ? [child] : []),
    ...valuesOf(key, child),
  ]);
}

describe("the OpenAPI document", () => {
  const parsed = document.parse(made);

  it("has every path that there is, and no other", () => {
    expect(Object.keys(parsed.paths).toSorted()).toEqual(
      [...rewardRoutes.map(({ path }) => path), "/health", "/ready", "/metrics", "/openapi.json"].toSorted(),
    );
    const ids = valuesOf("operationId", made);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("refers only to what it holds, and holds only what is referred to or may be", () => {
    const refs = new Set(valuesOf("$ref", made));
    expect(refs.size).toBeGreaterThan(10);
    const names = Object.keys(parsed.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect([...refs].filter((ref) => !names.includes(String(ref)))).toEqual([]);
    expect(names.filter((name) => !refs.has(name))).toEqual([]);
  });

  it("asks for a body and tells every refusal where rewards are asked for", () => {
    for (const { path } of rewardRoutes) {
      const { post } = parsed.paths[path]!;
      expect(post!.requestBody!.required).toBe(true);
      expect(Object.keys(post!.responses)).toEqual("200 400 401 409 413 415 422 429 500 503 504".split(" "));
      expect(post!.responses["429"]!.headers).toHaveProperty("Retry-After");
    }
  });

  it("has schemas that JSON Schema understands", () => {
    const types = valuesOf("type", parsed.components.schemas).flat();
    expect(
      types
        .filter((type) => typeof type === "string")
        .every((type) =>
          ["object", "array", "string", "number", "integer", "boolean", "null"].includes(type as string),
        ),
    ).toBe(true);
    expect(valuesOf("$schema", made)).toEqual([]);
    const { Group } = parsed.components.schemas as Record<string, { required: string[]; properties: object }>;
    expect(Group!.required).toEqual(["responses"]);
    expect(Object.keys(Group!.properties)).toContain("group_id");
  });
});
