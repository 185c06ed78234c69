import { describe, expect, it } from "vitest";
import { crc32c } from "./crc32c.js";
import { tfRecord } from "./tf-record.js";

const bytes = (text: string) => new TextEncoder().encode(text);

describe("crc32c", () => {
  it("equals the vectors of RFC 3720, appendix B.4", () => {
    expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
    expect(crc32c(new Uint8Array(32).fill(0xff))).toBe(0x62a8ab43);
    expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
    expect(crc32c(bytes("123456789"))).toBe(0xe3069283);
  });
});

describe("tfRecord", () => {
  it("frames data by length and checksums", () => {
    const record = tfRecord(bytes("123456789"));
    expect(record).toHaveLength(8 + 4 + 9 + 4);
    expect(record.readBigUInt64LE(0)).toBe(9n);
    expect(record.subarray(12, 21).toString()).toBe("123456789");
    // Unmasked as readers do it.
    const unmask = (masked: number) => {
      const rotated = (masked - 0xa282ead8) >>> 0;
      return ((rotated >>> 17) | (rotated << 15)) >>> 0;
    };
    expect(unmask(record.readUInt32LE(21))).toBe(0xe3069283);
    expect(unmask(record.readUInt32LE(8))).toBe(crc32c(record.subarray(0, 8)));
  });
});
