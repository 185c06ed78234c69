/** @file Names for copied pictures: from ids, without letters that file systems disagree about, never twice the same. */

/** Gives each id a name of its own. @param folder With a final "/", or empty. */
export function pictureNames(folder: string): (id: string, extension: string) => string {
  const taken = new Set<string>();
  return (id, extension) => {
    const stem = id.replaceAll(/[^\w.,-]+/g, "_").slice(-120) || "image";
    let name = `${stem}${extension}`;
    // Some file systems do not tell upper from lower case.
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${stem}-${n}${extension}`;
    taken.add(name.toLowerCase());
    return folder + name;
  };
}
