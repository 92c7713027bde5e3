/** A part of a frame: its header, or a block. The last one has the checksum. */
export interface FramePart {
  readonly bytes: Buffer;
  readonly isLast: boolean;
}

export type FrameParts = AsyncGenerator<FramePart, void, void>;

export interface FrameHeader {
  readonly windowBytes: number;
  /** The size of what it holds, if it says so. */
  readonly contentBytes: number | undefined;
  readonly hasChecksum: boolean;
}

/** What decompresses a frame. Throws if it is damaged. */
export interface ZstdDecoder {
  /** How far back a frame may refer: so much memory it takes. */
  readonly maxWindowBytes: number;
  decode(parts: FrameParts, frame: FrameHeader): AsyncGenerator<Buffer, void, void>;
}
