// Defines the jobs of the image process: plain data that both sides of the channel know.

/** For a phone, a high-density phone or the text column, and a wide high-density screen. */
export const IMAGE_WIDTHS = [480, 960, 1600] as const;

/** Best first. Every browser supports the last one. */
export const IMAGE_FORMATS = ["avif", "webp"] as const;
export type ImageFormat = (typeof IMAGE_FORMATS)[number];

/** Every page with the image contains the placeholder, so it must be tiny. */
export const MAX_BLUR_BYTES = 400;

/** An image with more pixels is served unchanged. An 8,000-pixel square fits. */
export const MAX_IMAGE_PIXELS = 80_000_000;

export type ImageJob =
  | { readonly kind: "measure"; readonly bytes: Uint8Array }
  | {
      readonly kind: "encode";
      readonly bytes: Uint8Array;
      readonly width: number;
      readonly format: ImageFormat;
    };

export interface ImageMeasurement {
  /** In CSS pixels, with the EXIF orientation applied. */
  readonly width: number;
  readonly height: number;
  /** A data: URL; only if the image can be decoded and is not animated. */
  readonly blur?: string;
  /** Why other sizes can't be made; the file is then served unchanged. */
  readonly problem?: string;
}

/** The process's response. */
export type ImageJobResult =
  | { readonly ok: true; readonly measurement: ImageMeasurement }
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly reason: string };
