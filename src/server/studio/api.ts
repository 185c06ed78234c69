/**
 * @file The wire between the studio's server and its page: every path, request, answer and event. The page imports these
 * as types, so nothing here may need Node. docs/studio.md says the same in prose.
 *
 * Paths (JSON unless said otherwise; all GET but the last). `:id` is a {@link RunId} by `encodeURIComponent`, as one segment.
 *
 *     /api/studio                          StudioInfo
 *     /api/runs                            RunList
 *     /api/runs/:id                        RunDetail
 *     /api/diff?a=ID&b=ID                  ConfigDiff
 *     /api/runs/:id/metrics                MetricColumns       MetricsQuery
 *     /api/runs/:id/alarms                 AlarmReport
 *     /api/runs/:id/groups                 GroupPage           GroupsQuery
 *     /api/runs/:id/group                  GroupDetail         ?step=&sample=
 *     /api/runs/:id/evaluations            EvaluationIndex
 *     /api/runs/:id/evaluations/images     EvaluationImages    EvaluationImagesQuery
 *     /api/runs/:id/evaluations/image      EvaluationHistory   ?set=&decoding=&image=
 *     /api/runs/:id/image                  image/png           ?set=&sample=   (set `train`, or a set of data.eval)
 *     /api/models                          ModelList
 *     /api/events                          text/event-stream of StudioEvent    ?run=ID (repeatable; default all)
 *     POST /api/detect                     application/x-ndjson of DetectEvent, one a line; body DetectRequest
 *
 * An answer that is no 2xx has the body {@link ApiFailure}. Numbers that are not finite are null.
 */
export type * from "./api/common.js";
export type * from "./api/drawing.js";
export type * from "./api/response.js";
export type * from "./api/runs.js";
export type * from "./api/metrics.js";
export type * from "./api/alarms.js";
export type * from "./api/groups.js";
export type * from "./api/evaluations.js";
export type * from "./api/detect.js";
export type * from "./api/events.js";
