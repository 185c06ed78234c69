/** @file What a writer of an annotation form is: it takes samples one by one and writes files, holding none of them. */
import type { Dataset } from "../dataset.js";
import type { Sample } from "../sample.js";
import type { ChatOptions } from "./chat-options.js";
import type { Holds, LossTally } from "./losses.js";
import type { TextFile } from "./text-file.js";

/** What a writer is handed. */
export interface FormContext {
  /** The file (layout `file`) or the folder (layout `folder`) to write; for now under a temporary name. */
  readonly target: string;
  /** For a look ahead: which labels, which sequences. May be read again and again. */
  readonly dataset: Dataset;
  readonly losses: LossTally;
  /** Whether pictures are copied beside the annotations, under names that the form chooses. */
  readonly copied: boolean;
  /** Path of a picture that is not copied as this form's files will refer to it: relative, with "/". */
  readonly refer: (path: string) => string;
  readonly options: FormOptions;
  /** Creates a text file; whatever happens, it will be closed. */
  readonly create: (path: string) => Promise<TextFile>;
}

/** Options that only some forms have. */
export interface FormOptions {
  /** Layout of WiderPedestrian's files. @default 2019 */
  readonly year?: 2018 | 2019;
  /** Of the chat forms. */
  readonly chat?: ChatOptions;
}

/** Takes samples, in order. */
export interface FormWriter {
  /** Where a copied picture goes, relative to the folder, with "/"; `extension` has its dot. Called before `add`. */
  pictureName(sample: Sample, extension: string): string;
  /** @param picture As the files name it: what `pictureName` gave, or `refer` of the picture's path. */
  add(sample: Sample, picture: string): Promise<void>;
  /** Writes what comes last and closes the files. */
  finish(): Promise<void>;
}

/** A form of annotations. */
export interface AnnotationForm {
  /** In a sentence, for help and docs. */
  readonly title: string;
  /** One file, or a folder with several. */
  readonly layout: "file" | "folder";
  /** Name of the file where it stands in a folder beside copied pictures. */
  readonly fileName: string;
  readonly holds: Holds;
  /** What the form's reader takes picture names relative to. @default the folder of the file, or the folder itself */
  readonly pictureBase?: (folder: string) => string;
  /** Starts writing. */
  readonly open: (context: FormContext) => Promise<FormWriter>;
}
