/**
 * @file The chat JSON Lines that other trainers read, one question about one picture a line:
 *
 * - TRL: `prompt` (messages), `image` (a path, to be cast to an image), further columns for the reward functions;
 * - ms-swift: `messages` with `<image>`, `images`, further columns for the reward functions, `objects` for grounding;
 * - VLM-R1: `image` and `conversations` of `human` and `gpt`, the latter being the ground truth.
 *
 * All three pass unknown columns on to rewards. Ours are the same in each: `id`, `width`, `height` (of the original),
 * `frame`, `model_width` and `model_height` (in the frame `absolute`), `ignore`. Lists of boxes are JSON text, because
 * columns whose lists are empty in some lines have no type that Arrow agrees on.
 */
import { promptText } from "../../response/prompt.js";
import type { Dataset } from "../dataset.js";
import { teacherResponse } from "../teacher.js";
import type { ChatOptions } from "./chat-options.js";
import { chatTruth, type ChatTruth } from "./chat-truth.js";
import type { AnnotationForm, FormContext } from "./form.js";
import { countLosses, HOLDS_BOXES, type Holds } from "./losses.js";
import { pictureNames } from "./picture-names.js";

/** Regions are in a column of their own; what else is known beside box and label has no place. */
const HOLDS: Holds = { ...HOLDS_BOXES, ignore: true };

/** What a line is made of. */
interface ChatLine {
  readonly picture: string;
  /** The user's words. */
  readonly question: string;
  /** `[{"bbox_2d":[...],"label":"..."}, ...]` */
  readonly solution: string;
  /** The assistant's turn, where it is wanted. */
  readonly response?: string;
  /** Columns that all forms share. */
  readonly columns: object;
}

type Render = (line: ChatLine, options: ChatOptions) => object;

const renderTrl: Render = ({ picture, question, solution, response, columns }) => ({
  // Text alone: TRL puts the picture before the first user's turn itself.
  prompt: [{ role: "user", content: question }],
  ...(response !== undefined && { completion: [{ role: "assistant", content: response }] }),
  image: picture,
  solution,
  ...columns,
});

const renderSwift: Render = (line, { frame }) => {
  const { picture, question, solution, response, columns } = line;
  const scaled = frame === "image" && response !== undefined ? swiftObjects(response) : undefined;
  return {
    messages: [
      { role: "user", content: `<image>${question}` },
      ...(response === undefined ? [] : [{ role: "assistant", content: scaled?.text ?? response }]),
    ],
    images: [picture],
    ...(scaled && { objects: { ref: [], bbox: scaled.boxes, bbox_type: "real" } }),
    solution,
    ...columns,
  };
};

/**
 * The response with `<bbox>` in the place of each box: ms-swift scales the boxes of `objects` to the picture that the
 * model is shown and writes them there (as plain lists where QWENVL_BBOX_FORMAT is `new`).
 */
function swiftObjects(response: string): { text: string; boxes: number[][] } {
  const boxes: number[][] = [];
  const text = response.replaceAll(/\[(\d+),(\d+),(\d+),(\d+)\]/g, (...match) => {
    boxes.push(match.slice(1, 5).map(Number));
    return "<bbox>";
  });
  return { text, boxes };
}

const renderVlmR1: Render = ({ picture, question, solution, columns }) => ({
  ...columns,
  image: picture,
  conversations: [
    { from: "human", value: `<image>${question}` },
    // Its rewards look for the fence, in the ground truth too.
    { from: "gpt", value: "```json\n" + solution + "\n```" },
  ],
});

function chatForm(title: string, render: Render, notice?: (context: FormContext) => Notice): AnnotationForm {
  return {
    title,
    layout: "file",
    fileName: "samples.jsonl",
    holds: HOLDS,
    async open(context) {
      const { dataset, target, losses, options, create } = context;
      const labels = options.chat?.labels ?? (await labelsOf(dataset));
      const chat: ChatOptions = { frame: "absolute", ...options.chat, labels };
      const question =
        chat.promptText ??
        promptText(chat.prompt ?? "dip-r1", labels, chat.frame === "norm1000" ? "norm1000" : "absolute");
      const noticed = notice?.(context);
      const file = await create(target);
      const nameOf = pictureNames("images/");
      return {
        pictureName: (sample, extension) => nameOf(sample.id, extension),
        async add(sample, picture) {
          countLosses(sample, HOLDS, losses);
          const truth = chatTruth(sample, chat, losses);
          const { width, height } = truth.canvas;
          noticed?.(truth);
          const line = render(
            {
              picture,
              question,
              solution: JSON.stringify(truth.instances),
              ...(chat.response === true && {
                response: teacherResponse(sample, { modelSize: { width, height }, labels }).text,
              }),
              columns: {
                id: sample.id,
                width: sample.width,
                height: sample.height,
                frame: chat.frame,
                ...(truth.model && { model_width: truth.model.width, model_height: truth.model.height }),
                ignore: JSON.stringify(truth.ignore),
              },
            },
            chat,
          );
          await file.write(JSON.stringify(line) + "\n");
        },
        finish: () => file.close(),
      };
    },
  };
}

type Notice = (truth: ChatTruth) => void;

/** Labels in the order in which they first come; `person` where there is no object at all. */
async function labelsOf(dataset: Dataset): Promise<string[]> {
  const labels = new Set<string>();
  for await (const { objects } of dataset.samples()) for (const { label } of objects) labels.add(label);
  return labels.size > 0 ? [...labels] : ["person"];
}

/** TRL. */
export const trlForm = chatForm("TRL's prompt, image and reward columns, JSON Lines", renderTrl);

/** ms-swift. */
export const msSwiftForm = chatForm(
  "ms-swift's messages, images and reward columns, JSON Lines",
  renderSwift,
);

/** VLM-R1. */
export const vlmR1Form = chatForm(
  "VLM-R1's conversations with the ground truth as the answer, JSON Lines",
  renderVlmR1,
  ({ losses, options }) =>
    ({ ignore }) => {
      if (options.chat?.response === true)
        losses.add("dropped", "teacher's responses (the assistant's turn is the ground truth in this form)");
      losses.add(
        "changed",
        "ignore regions put where VLM-R1's own rewards do not look (column `ignore`)",
        ignore.length,
      );
    },
);
