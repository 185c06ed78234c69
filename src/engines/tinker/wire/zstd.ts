/** @file Zstandard, for servers that ask for compressed bodies. Node has its own only from version 22.15 on. */

/** The bytes as one zstd frame. The codec is loaded on first use. */
export async function zstdCompress(bytes: Uint8Array): Promise<Uint8Array> {
  const { Zstd } = await import("@hpcc-js/wasm-zstd");
  return (await Zstd.load()).compress(bytes);
}

/** The content of one zstd frame. */
export async function zstdDecompress(bytes: Uint8Array): Promise<Uint8Array> {
  const { Zstd } = await import("@hpcc-js/wasm-zstd");
  return (await Zstd.load()).decompress(bytes);
}
