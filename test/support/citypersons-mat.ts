/** @file Small `anno_*.mat` files of CityPersons for tests. */
import { encodeMat5, type MatFileOptions } from "../../src/datasets/mat5-encode.js";

/** A row of CityPersons' `bbs`. */
export type CityPersonsRow = readonly number[];

/** An `anno_*.mat` of CityPersons. */
export function encodeCityPersons(
  variable: string,
  images: readonly {
    readonly city: string;
    readonly name: string;
    readonly rows: readonly CityPersonsRow[];
  }[],
  options: MatFileOptions = { compressed: true },
): Buffer {
  const cells = images.map(({ city, name, rows }) => ({
    struct: {
      cityname: { text: city },
      im_name: { text: name },
      bbs: { numbers: rows, store: "uint16" as const },
    },
  }));
  return encodeMat5({ [variable]: { cells } }, options);
}
