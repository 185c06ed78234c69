/** @file What the mock server answers to each path. */
import { forwardBackward, sample, saved, copyOptimizer } from "./mock-work.js";
import { Refusal, type MockState, type Result } from "./mock-state.js";
import { adamStep, newOptimizer, VOCABULARY } from "./table-model.js";
import type { ForwardBackwardRequest } from "../../../src/engines/tinker/wire/index.js";

/** Answers by path. A refused request throws {@link Refusal}. */
export function mockRoutes(state: MockState) {
  const {
    habits,
    base,
    models,
    sessions,
    samplers,
    checkpoints,
    results,
    worked,
    name,
    accept,
    once,
    modelOf,
    live,
  } = state;

  /** The training pass, decoded; `body` is what it is known again by. */
  const train = (request: ForwardBackwardRequest, body: string): unknown => {
    modelOf(request.modelId);
    return once(request.modelId, request.seqId, body, () => accept(() => forwardBackward(state, request)));
  };

  const post: Record<string, (json: Record<string, unknown>, body: string) => unknown> = {
    "client/config": () => ({ pjwt_auth_enabled: false, proto_compress_fwdbwd: habits.compress }),
    create_session() {
      const id = name("session");
      sessions.add(id);
      return { type: "create_session", session_id: id };
    },
    session_heartbeat(json) {
      if (!sessions.has(json["session_id"] as string)) throw new Refusal(404, "Session not found");
      return { type: "session_heartbeat" };
    },
    create_model(json) {
      if (!sessions.has(json["session_id"] as string)) throw new Refusal(404, "Session not found");
      const id = name("model");
      const { rank } = json["lora_config"] as { readonly rank: number };
      models.set(id, {
        table: base.slice(),
        optimizer: newOptimizer(),
        gradient: new Float64Array(VOCABULARY ** 2),
        datums: 0,
        loaded: true,
        requests: 0,
        rank,
      });
      const made = { model_id: id, base_model: json["base_model"], lora_config: json["lora_config"] };
      return { ...(accept(() => ({ json: made })) as object), ...made };
    },
    optim_step(json, body) {
      const id = json["model_id"] as string;
      const { learning_rate: rate } = json["adam_params"] as Record<string, number>;
      if (rate! < 0)
        throw new Refusal(422, [
          {
            loc: ["body", "adam_params", "learning_rate"],
            msg: "Input should be greater than or equal to 0",
          },
        ]);
      modelOf(id);
      return once(id, json["seq_id"] as number, body, () =>
        accept(() => {
          const model = live(id);
          worked.push(`optim_step ${String(json["seq_id"])}`);
          if (habits.normalization === "mean")
            model.gradient = model.gradient.map((g) => g / Math.max(1, model.datums));
          const norm = adamStep(
            model.table,
            model.gradient,
            model.optimizer,
            json["adam_params"] as Record<string, number>,
          );
          model.gradient = new Float64Array(VOCABULARY ** 2);
          model.datums = 0;
          return { json: { metrics: habits.gradNorm ? { "skyrl.ai/grad_norm": norm } : {} } };
        }),
      );
    },
    save_weights(json) {
      const id = json["model_id"] as string;
      modelOf(id);
      saved(state, "training", id, json["path"] as string);
      return accept(() => ({
        json: { path: `tinker://${id}/weights/${String(json["path"])}`, type: "save_weights" },
      }));
    },
    save_weights_for_sampler(json) {
      const id = json["model_id"] as string;
      modelOf(id);
      const path =
        (json["path"] as string | undefined) ??
        `ss${String(json["sampling_session_seq_id"])}_seq${String(json["seq_id"])}`;
      const key = saved(state, "sampler", id, path);
      if (json["path"] !== undefined)
        return accept(() => ({ json: { path: `tinker://${id}/${path}`, sampling_session_id: null } }));
      const session = name("sampling");
      samplers.set(session, { checkpoint: key });
      return accept(() => ({ json: { path: null, sampling_session_id: session } }));
    },
    load_weights(json) {
      const id = json["model_id"] as string;
      const model = modelOf(id);
      if (model.requests > 1)
        throw new Refusal(400, `LoadWeights is not permitted with seq_id ${String(json["seq_id"])}`);
      const [, source, checkpointName] =
        /^tinker:\/\/(.+)\/weights\/(.+)$/.exec(json["path"] as string) ?? [];
      const checkpoint = checkpoints.get(`${source}/training/${checkpointName}`);
      if (checkpoint === undefined)
        throw new Refusal(404, `Checkpoint not found: ${source}/${checkpointName}`);
      return accept(() => {
        model.table = checkpoint.table.slice();
        if (json["optimizer"] === true) Object.assign(model.optimizer, copyOptimizer(checkpoint.optimizer));
        return { json: { type: "load_weights" } };
      });
    },
    create_sampling_session(json) {
      const id = name("sampling");
      const path = json["model_path"] as string | undefined;
      const [, model, weights] = /^tinker:\/\/([^/]+)\/(?:sampler_weights\/)?(.+)$/.exec(path ?? "") ?? [];
      samplers.set(id, path === undefined ? {} : { checkpoint: `${model}/sampler/${weights}` });
      return { type: "create_sampling_session", sampling_session_id: id };
    },
    asample(json) {
      const session = json["sampling_session_id"];
      if (typeof session === "string" && !samplers.has(session))
        throw new Refusal(404, "Sampling session not found");
      return accept(() => sample(state, json));
    },
    unload_model(json) {
      const model = modelOf(json["model_id"] as string);
      model.loaded = false;
      return accept(() => ({ json: { model_id: json["model_id"], status: "unloaded" } }));
    },
    weights_info: (json) => {
      const [, source, checkpointName] =
        /^tinker:\/\/(.+)\/weights\/(.+)$/.exec(json["tinker_path"] as string) ?? [];
      const checkpoint = checkpoints.get(`${source}/training/${checkpointName}`);
      if (checkpoint === undefined) throw new Refusal(404, "Checkpoint not found");
      return { base_model: habits.model, is_lora: true, lora_rank: models.get(source!)?.rank };
    },
  };

  function get(path: string): unknown {
    if (path === "healthz") return { status: "ok" };
    if (path === "get_server_capabilities") return { supported_models: [{ model_name: habits.model }] };
    const [, sampler] = /^samplers\/(.+)$/.exec(path) ?? [];
    if (sampler !== undefined) {
      if (!samplers.has(sampler)) throw new Refusal(404, "Sampler not found");
      return { sampler_id: sampler, base_model: habits.model };
    }
    const [, run] = /^training_runs\/(.+)\/checkpoints$/.exec(path) ?? [];
    if (run === undefined) throw new Refusal(404, "Not Found");
    return {
      checkpoints: [...checkpoints.values()]
        .filter(({ modelId }) => modelId === run)
        .map(({ id, kind }) => ({
          checkpoint_id: id,
          checkpoint_type: kind,
          tinker_path: `tinker://${run}/${kind === "training" ? "weights" : "sampler_weights"}/${id}`,
        })),
    };
  }

  function retrieve(
    json: Record<string, unknown>,
  ): Result | { status: number; json: unknown; proto?: undefined } {
    const result = results.get(json["request_id"] as string);
    if (result === undefined) throw new Refusal(404, "Future not found");
    if (result.notYet > 0) {
      result.notYet--;
      return {
        status: 200,
        json: { type: "try_again", request_id: json["request_id"], queue_state: "paused_capacity" },
      };
    }
    if (habits.metadataFirst && json["allow_metadata_only"] === true)
      return { status: 200, json: { status: "complete_metadata", response_payload_size: 9 } };
    return result;
  }

  return { post, get, retrieve, train };
}
