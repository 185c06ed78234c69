import { describe, expect, it } from "vitest";
import { recorded, type RecordedExchange } from "../../../test/support/tinker/recorded-wire.js";
import { errorOfAnswer, type TinkerErrorCode } from "./errors.js";
import { retrieveFuture } from "./futures.js";
import { createTransport } from "./transport.js";
import { defaultRetryPolicy } from "./retry.js";
import { fastTools } from "../../../test/support/tinker/fast-tools.js";

/** A recorded answer, fetched through the client's own layers. */
function fetchOf({ answer }: RecordedExchange): typeof globalThis.fetch {
  return () =>
    Promise.resolve(
      new Response(answer.text ?? JSON.stringify(answer.json), {
        status: answer.status,
        headers: { "content-type": answer.contentType },
      }),
    );
}

const submitted: readonly (readonly [string, TinkerErrorCode, RegExp])[] = [
  ["62_err_json_forward_backward_415", "refused", /requires a application\/x-protobuf body/],
  ["63_err_json_forward_endpoint", "not-found", /Not Found/],
  ["57_err_bad_loss_fn", "refused", /loss_fn/],
  ["58_err_bad_loss_config", "refused", /./],
  ["64_err_garbage_proto", "refused", /./],
  ["61_err_unknown_model", "not-found", /Model not found/],
  ["67_err_unknown_session", "session-expired", /Session not found/],
  ["68_err_create_model_unknown_session", "session-expired", /Session not found/],
  ["73_err_optim_unknown_model", "not-found", /Model not found/],
  ["74_err_optim_negative_lr", "refused", /learning_rate/],
  ["75_err_asample_unknown_session", "not-found", /Sampling session not found/],
  ["76_err_asample_no_max_tokens", "refused", /max_tokens is currently required/],
  ["79_err_asample_unknown_checkpoint", "not-found", /Checkpoint not found/],
  ["94_err_image_bad_format", "refused", /format: Input should be 'png' or 'jpeg'/],
  ["13_fwdbwd_same_seq_different_body_409", "conflict", /sequence number was reused/],
  ["43_save_weights_duplicate_409", "conflict", /already exists/],
  ["48_load_weights_not_first_400", "refused", /not permitted with seq_id 10/],
];

const retrieved: readonly (readonly [string, TinkerErrorCode, RegExp])[] = [
  ["60_err_loss_unsupported_by_jax_gspo_future", "failed", /'gspo'.*not supported by the JAX backend/],
  ["72_err_create_model_rank_too_big_future", "failed", /./],
  ["78_err_asample_wrong_base_future", "failed", /Engine is configured for 'tiny-qwen3'/],
  ["81_err_asample_topk_prompt_logprobs_future", "failed", /not supported by the JAX backend/],
  ["91_fwdbwd_targets_longer_future", "failed", /exceeds max_length 32/],
  ["83_asample_out_of_vocab_token_future", "server", /Internal Server Error/],
  ["66_err_nonnumeric_future", "server", /./],
  ["65_err_unknown_future", "not-found", /Future not found/],
  ["100_err_fwdbwd_after_unload_future", "model-gone", /not loaded/],
  ["104_asample_after_unload_future", "model-gone", /not loaded/],
];

describe("recorded refusals", () => {
  it.each(submitted)("%s is %s", (name, code, words) => {
    const { answer, path, method } = recorded(name);
    const error = errorOfAnswer(
      `${method} ${path}`,
      answer.status,
      answer.text ?? JSON.stringify(answer.json),
    );
    expect(error).toMatchObject({ code, status: answer.status });
    expect(error.detail).toMatch(words);
    expect(error.message).toContain(error.detail);
  });

  it.each(retrieved)("%s is %s, and is not asked for forever", async (name, code, words) => {
    const tools = fastTools();
    const transport = createTransport({
      baseUrl: "http://127.0.0.1:1",
      apiKey: "",
      policy: defaultRetryPolicy,
      tools,
      fetch: fetchOf(recorded(name)),
    });
    const result = retrieveFuture(
      transport,
      "1",
      "sample",
      { json: (json) => json },
      {
        ...tools,
        resultTimeoutMs: 1e6,
        pollTimeoutMs: 1e4,
      },
    );
    await expect(result).rejects.toMatchObject({ code });
    await expect(result).rejects.toThrow(words);
    expect(tools.slept.length).toBeLessThan(5);
  });

  it("a server that was restarted no longer has the model", () => {
    for (const name of [
      "02_fwdbwd_on_model_of_previous_server_future",
      "04_optim_on_model_of_previous_server_future",
    ]) {
      const { answer } = recorded(name, "after-restart");
      expect(errorOfAnswer("x", answer.status, JSON.stringify(answer.json)).code).toBe("model-gone");
    }
  });
});

describe("answers of other services", () => {
  it.each([
    [401, "unauthorized"],
    [402, "billing"],
    [403, "unauthorized"],
    [410, "session-expired"],
    [429, "rate-limited"],
    [500, "server"],
    [503, "server"],
    [400, "refused"],
  ] as const)("%s is %s", (status, code) => {
    const error = errorOfAnswer("POST x", status, "<html>words</html>");
    expect(error).toMatchObject({ code, status, detail: "<html>words</html>" });
  });
});
