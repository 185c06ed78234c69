/** @file The OpenAPI 3.1 document, made of the schemas that check the requests. */
import { z } from "zod";
import { STATUS } from "./http-error.js";
import { rewardRoutes } from "./routes.js";
import { columnsAnswerSchema, columnsSchema } from "./trainers/columns.js";
import { easyR1AnswerSchema, easyR1Schema } from "./trainers/easyr1.js";
import { openRlhfAnswerSchema, openRlhfSchema } from "./trainers/openrlhf.js";
import { verlAnswerSchema, verlSchema } from "./trainers/verl.js";
import { truthSchema } from "./truths.js";
import { errorSchema, groupSchema, scoreAnswerSchema, scoreRequestSchema, scoreSchema } from "./wire.js";

type Json = Readonly<Record<string, unknown>>;

const requestNames = new Map<z.ZodType, string>([
  [truthSchema, "Truth"],
  [groupSchema, "Group"],
  [scoreRequestSchema, "ScoreRequest"],
  [columnsSchema, "ColumnsRequest"],
  [verlSchema, "VerlRequest"],
  [easyR1Schema, "EasyR1Request"],
  [openRlhfSchema, "OpenRlhfRequest"],
]);
const answerNames = new Map<z.ZodType, string>([
  [errorSchema, "Refusal"],
  [scoreSchema, "Score"],
  [scoreAnswerSchema, "ScoreAnswer"],
  [columnsAnswerSchema, "ColumnsAnswer"],
  [verlAnswerSchema, "VerlAnswer"],
  [easyR1AnswerSchema, "EasyR1Answer"],
  [openRlhfAnswerSchema, "OpenRlhfAnswer"],
]);

function schemasOf(names: ReadonlyMap<z.ZodType, string>, io: "input" | "output"): Json {
  const registry = z.registry<{ id: string }>();
  for (const [schema, id] of names) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { io, uri: (id) => `#/components/schemas/${id}` });
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema: _schema, $id: _id, ...schema }]) => [id, schema]),
  );
}

const ref = (names: ReadonlyMap<z.ZodType, string>, schema: z.ZodType): Json => ({
  $ref: `#/components/schemas/${names.get(schema)!}`,
});
const jsonOf = (schema: Json): Json => ({ "application/json": { schema } });

const WORDS: Readonly<Record<number, string>> = {
  400: "The body is not JSON.",
  401: "The bearer token is missing or wrong.",
  409: "The parts of a group do not fit together.",
  413: "The body or the number of groups is too large.",
  415: "The body is not application/json, or it is encoded.",
  422: "The request does not fit its schema, or names what there is not.",
  429: "Too much is in work: come again after Retry-After seconds.",
  500: "A defect.",
  503: "The server is stopping.",
  504: "The rest of a group did not come in time.",
};

/** Refusals of the paths that score. */
function refusals(): Json {
  const codes = [...new Set(Object.values(STATUS))]
    .filter((status) => WORDS[status] !== undefined)
    .toSorted((a, b) => a - b);
  return Object.fromEntries(
    codes.map((status) => [
      String(status),
      {
        description: WORDS[status],
        content: jsonOf({ $ref: "#/components/schemas/Error" }),
        ...((status === 429 || status === 503) && {
          headers: { "Retry-After": { schema: { type: "integer", minimum: 1 }, description: "seconds" } },
        }),
      },
    ]),
  );
}

function queryParameters(query: z.ZodObject | undefined): Json[] {
  if (query === undefined) return [];
  const { properties = {} } = z.toJSONSchema(query, { io: "output" });
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...schema } = property as Json;
    return { name, in: "query", required: false, schema, ...(description !== undefined && { description }) };
  });
}

const plain = (description: string, type = "application/json", schema: Json = {}): Json => ({
  description,
  content: { [type]: { schema } },
});

/** Paths that tell about the server. */
const about: Json = {
  "/health": {
    get: {
      operationId: "health",
      summary: "Whether the process answers",
      security: [],
      responses: { 200: plain("It does.") },
    },
  },
  "/ready": {
    get: {
      operationId: "ready",
      summary: "Whether requests are taken",
      security: [],
      responses: { 200: plain("They are."), 503: plain("Starting or stopping.") },
    },
  },
  "/metrics": {
    get: {
      operationId: "metrics",
      summary: "Prometheus metrics",
      responses: {
        200: plain("Prometheus' text format.", "text/plain", { type: "string" }),
        401: { description: WORDS[401] },
      },
    },
  },
  "/openapi.json": {
    get: {
      operationId: "openapi",
      summary: "This document",
      responses: { 200: plain("OpenAPI 3.1."), 401: { description: WORDS[401] } },
    },
  },
};

/** The document. @param version the package's */
export function openApiDocument(version: string): Json {
  const paths = Object.fromEntries(
    rewardRoutes.map((route) => [
      route.path,
      {
        post: {
          operationId: route.operationId,
          summary: route.summary,
          parameters: queryParameters(route.query),
          requestBody: { required: true, content: jsonOf(ref(requestNames, route.request)) },
          responses: {
            200: { description: "The scores.", content: jsonOf(ref(answerNames, route.answer)) },
            ...refusals(),
          },
        },
      },
    ]),
  );
  return {
    openapi: "3.1.0",
    info: {
      title: "DIP-R1 rewards",
      version,
      description:
        "Format, look and accuracy rewards of Think-Look-Answer responses. The look reward compares the responses to one picture, so groups are scored whole.",
    },
    paths: { ...paths, ...about },
    // Where the server has no token, none is asked for.
    security: [{ bearer: [] }, {}],
    components: {
      securitySchemes: { bearer: { type: "http", scheme: "bearer" } },
      schemas: {
        ...schemasOf(requestNames, "input"),
        ...schemasOf(answerNames, "output"),
        Error: {
          type: "object",
          required: ["error"],
          properties: { error: ref(answerNames, errorSchema) },
        },
      },
    },
  };
}
