/** @file The server's own contract: groups as they are. What is wrong with one group is told there, the others are scored. */
import { HttpError } from "./http-error.js";
import type { GroupRequest, GroupResult } from "./reward-service.js";
import type { CallContext } from "./call.js";
import { schemaError } from "./truths.js";
import { groupAnswer, scoreRequestSchema } from "./wire.js";

/** @throws HttpError for a body that is not a request at all */
export async function scoreGroups(body: unknown, context: CallContext): Promise<unknown> {
  const parsed = scoreRequestSchema.safeParse(body);
  if (!parsed.success) throw schemaError(parsed.error, "");
  const { groups } = parsed.data;
  const prepared = groups.map((group): GroupRequest | { readonly refusal: HttpError } => {
    try {
      const { truths } = context;
      return {
        job: {
          truth:
            group.truth !== undefined
              ? truths.inline(group.truth, group.frame)
              : truths.byId(group.sample_id!, group.frame).truth,
          responses: group.responses,
          withoutLook: context.withoutLook || group.without_look === true,
        },
        ...(group.group_size !== undefined && {
          gather: { key: `score ${group.group_id}`, size: group.group_size },
        }),
      };
    } catch (error) {
      if (error instanceof HttpError) return { refusal: error };
      throw error;
    }
  });
  const scored = await context.score(prepared.filter((group) => "job" in group));
  let at = 0;
  const results = prepared.map((group): GroupResult => ("job" in group ? scored[at++]! : group));
  return { groups: results.map((result, i) => groupAnswer(groups[i]!, result)) };
}
