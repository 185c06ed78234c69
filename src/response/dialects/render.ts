/** @file Writes boxes as a model of a dialect would: for tests, mock servers and examples; read back at grade `strict`. */
import type { Box, FrameSize } from "../../geometry/box.js";
import type { AnswerFrame } from "../../geometry/profiles.js";
import type { DialectReader } from "./parse.js";
import { boxMarkers, detMarkers, type Markers } from "./marked.js";
import { writeNumbers } from "./reading.js";

/** An instance in the frame of the reading's profile. */
export interface DialectBox {
  readonly box: Box<AnswerFrame>;
  readonly label: string;
}

/**
 * The text. Boxes of one label stand together where the form groups them by label.
 * @param model Size of the picture that is spoken of.
 */
export function renderDialect(
  boxes: readonly DialectBox[],
  { form, reading }: DialectReader,
  model: FrameSize<"model">,
): string {
  const numbers = ({ box }: DialectBox): string => `[${writeNumbers(box, reading, { model }).join(", ")}]`;
  const marked = ({ refOpen, refClose, open, close }: Markers): string => {
    const labels = [...new Set(boxes.map(({ label }) => label))];
    return labels
      .map((label) => {
        const lists = boxes.filter((one) => one.label === label).map(numbers);
        return `${refOpen}${label}${refClose}${open}[${lists.join(", ")}]${close}`;
      })
      .join("\n");
  };
  const objects = (key: string): string =>
    `[${boxes.map((one) => `{"${key}": ${numbers(one)}, "label": ${JSON.stringify(one.label)}}`).join(",\n")}]`;
  switch (form) {
    case "think-look-answer":
      return `<think>${boxes.length} seen.</think><look>[]</look><answer>${objects("bbox_2d")}</answer>`;
    case "bbox_2d":
    case "box_2d":
      return `\`\`\`json\n${objects(form)}\n\`\`\``;
    case "det-markers":
      return marked(detMarkers);
    case "box-markers":
      return marked(boxMarkers);
    case "list":
      return `[${boxes.map(numbers).join(", ")}]`;
  }
}
