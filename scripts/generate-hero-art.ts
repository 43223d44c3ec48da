// Draws the hero images of our own posts: node scripts/generate-hero-art.ts [slug …]
// All use lines and flat shapes from one palette. The output is deterministic: edit this file,
// never a PNG.

import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";

const WIDTH = 1600;
const HEIGHT = 1200;
/** Keeps the repository small. Pages serve smaller versions. */
const MAX_BYTES = 120_000;

const paper = "#f4efe4";
const clay = "#ddd0b8";
const ink = "#1e1c1a";
const red = "#c8432e";
const blue = "#27508a";
const yellow = "#e4aa2d";
const sage = "#86a195";
const night = "#16283f";

type Point = readonly [x: number, y: number];

const roundToTenth = (value: number) => Math.round(value * 10) / 10;
const rect = (x: number, y: number, w: number, h: number, fill: string, more = "") =>
  `<rect x="${roundToTenth(x)}" y="${roundToTenth(y)}" width="${roundToTenth(w)}" height="${roundToTenth(h)}" fill="${fill}" ${more}/>`;
const disc = (x: number, y: number, r: number, fill: string, more = "") =>
  `<circle cx="${roundToTenth(x)}" cy="${roundToTenth(y)}" r="${roundToTenth(r)}" fill="${fill}" ${more}/>`;
const stroke = (color: string, width: number, more = "") =>
  `fill="none" stroke="${color}" stroke-width="${width}" ${more}`;
const ring = (x: number, y: number, r: number, color: string, width: number, more = "") =>
  `<circle cx="${roundToTenth(x)}" cy="${roundToTenth(y)}" r="${roundToTenth(r)}" ${stroke(color, width, more)}/>`;
const line = (points: readonly Point[], color: string, width: number, more = "") =>
  `<polyline points="${points.map(([x, y]) => `${roundToTenth(x)},${roundToTenth(y)}`).join(" ")}" ${stroke(color, width, more)}/>`;
const path = (d: string, color: string, width: number, more = "") =>
  `<path d="${d}" ${stroke(color, width, more)}/>`;
const shape = (points: readonly Point[], fill: string) =>
  `<polygon points="${points.map(([x, y]) => `${roundToTenth(x)},${roundToTenth(y)}`).join(" ")}" fill="${fill}"/>`;
const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const onCircle = (x: number, y: number, r: number, turn: number): Point => [
  x + r * Math.cos(turn * 2 * Math.PI),
  y + r * Math.sin(turn * 2 * Math.PI),
];
const arc = (
  x: number,
  y: number,
  r: number,
  from: number,
  to: number,
  color: string,
  width: number,
  more = "",
) => {
  const [x1, y1] = onCircle(x, y, r, from);
  const [x2, y2] = onCircle(x, y, r, to);
  return path(
    `M${roundToTenth(x1)} ${roundToTenth(y1)}A${roundToTenth(r)} ${roundToTenth(r)} 0 ${to - from > 0.5 ? 1 : 0} 1 ${roundToTenth(x2)} ${roundToTenth(y2)}`,
    color,
    width,
    more,
  );
};

/** Returns a seeded pseudorandom generator of numbers in [0, 1). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Draws stacked disks, the usual symbol for a database. */
function drum(
  x: number,
  y: number,
  rx: number,
  plates: readonly string[],
  plate: number,
  edge: string,
): string {
  const ry = rx * 0.3;
  const slice = (fill: string, index: number) => {
    const top = y - index * plate;
    return `<path d="M${roundToTenth(x - rx)} ${roundToTenth(top)}v${roundToTenth(-plate + 10)}h${roundToTenth(rx * 2)}v${roundToTenth(plate - 10)}a${roundToTenth(rx)} ${roundToTenth(ry)} 0 0 1 ${roundToTenth(-rx * 2)} 0z" fill="${fill}"/><ellipse cx="${roundToTenth(x)}" cy="${roundToTenth(top - plate + 10)}" rx="${roundToTenth(rx)}" ry="${roundToTenth(ry)}" fill="${fill}" stroke="${edge}" stroke-width="5"/>`;
  };
  return plates.map(slice).join("");
}

interface Picture {
  readonly file: string;
  readonly ground: string;
  draw(): string;
}

const heroImagePath = (slug: string) => `content/blog/${slug}/hero.png`;
const publicImagePath = (slug: string) => `public/images/${slug}.png`;

const pictures: Record<string, Picture> = {
  // A page and its database, touching; the same database far away on a thin line.
  "sqlite-beside-the-reader": {
    file: heroImagePath("sqlite-beside-the-reader"),
    ground: paper,
    draw: () => {
      const random = seeded(7);
      const text = range(17)
        .map((row) =>
          rect(
            430,
            262 + row * 40,
            (row % 6 === 5 ? 150 : 330) + random() * 60,
            12,
            row < 2 ? ink : clay,
          ),
        )
        .join("");
      const far = `${path("M1030 520C1180 330 1280 240 1392 236", ink, 3, 'stroke-dasharray="3 14" stroke-linecap="round"')}${drum(1430, 262, 46, [clay, clay, clay], 24, paper)}`;
      return `${disc(800, 610, 500, "#eadfc9")}${rect(360, 190, 500, 800, "#fffdf7")}${text}${far}${drum(905, 990, 200, [blue, blue, red, blue], 118, paper)}`;
    },
  },
  // A ball that bounces once on the wrong post and lands on the right one.
  "the-request-that-finds-the-primary": {
    file: heroImagePath("the-request-that-finds-the-primary"),
    ground: night,
    draw: () => {
      const posts = range(6)
        .map((i) => rect(210 + i * 216, 900, 104, 300, i === 4 ? yellow : "#2b4263"))
        .join("");
      const tops = range(6)
        .map((i) => rect(210 + i * 216, 900, 104, 16, i === 4 ? "#f7d98e" : "#46618a"))
        .join("");
      const steps = range(44).map((i) => {
        const t = i / 43;
        const first = t < 0.34;
        const u = first ? t / 0.34 : (t - 0.34) / 0.66;
        const x = first ? 90 + u * 388 : 478 + u * 648;
        const y = first ? 872 - (1 - u) * (1 + u) * 560 : 872 - 4 * u * (1 - u) * 640;
        return disc(
          x,
          y,
          5 + t * 23,
          i === 43 ? red : "#f4efe4",
          i === 43 ? "" : `opacity="${roundToTenth(0.25 + t * 0.7)}"`,
        );
      });
      return `${ring(1126, 872, 150, "#2b4263", 3)}${ring(1126, 872, 230, "#2b4263", 3)}${ring(1126, 872, 310, "#23395a", 3)}${posts}${tops}${steps.join("")}`;
    },
  },
  // A page scrolled to its end, and a ring that is 60% full.
  "what-counts-as-a-read": {
    file: heroImagePath("what-counts-as-a-read"),
    ground: "#e9ded0",
    draw: () => {
      const random = seeded(21);
      const rows = range(22)
        .map((row) =>
          rect(
            330,
            150 + row * 42,
            (row % 7 === 6 ? 120 : 290) + random() * 110,
            14,
            row < 21 ? "#b9a98f" : red,
          ),
        )
        .join("");
      return `${rect(260, 70, 540, 1060, paper)}${rows}${rect(260, 1040, 540, 6, red)}${ring(1040, 600, 300, "#d3c3aa", 84)}${arc(1040, 600, 300, -0.25, 0.35, blue, 84)}${disc(...onCircle(1040, 600, 300, 0.35), 60, ink)}${disc(1040, 600, 18, ink)}${line([[1040, 600], onCircle(1040, 600, 196, 0.35)], ink, 14, 'stroke-linecap="round"')}`;
    },
  },
  // A spiral that would never end, and the bar that ends it.
  "a-deadline-that-ends-the-worker": {
    file: heroImagePath("a-deadline-that-ends-the-worker"),
    ground: paper,
    draw: () => {
      const points = range(1_400).map((i): Point => {
        const turn = i / 100;
        return [
          620 + (40 + turn * 52) * Math.cos(turn * 2 * Math.PI),
          600 + (40 + turn * 52) * Math.sin(turn * 2 * Math.PI),
        ];
      });
      return `<clipPath id="left"><rect width="1010" height="${HEIGHT}"/></clipPath><g clip-path="url(#left)">${line(points, blue, 17)}</g>${rect(1010, 0, 62, HEIGHT, red)}${disc(1250, 600, 46, ink)}${line(
        [
          [1320, 600],
          [1600, 600],
        ],
        ink,
        6,
      )}`;
    },
  },
  // The same path through many gates, or through one.
  "what-litefs-costs": {
    file: heroImagePath("what-litefs-costs"),
    ground: "#dfe5df",
    draw: () => {
      const gate = (x: number, base: number, h: number, w: number, color: string) =>
        path(
          `M${roundToTenth(x - w / 2)} ${base}v${roundToTenth(-h)}a${roundToTenth(w / 2)} ${roundToTenth(w / 2)} 0 0 1 ${roundToTenth(w)} 0v${roundToTenth(h)}`,
          color,
          15,
        );
      const many = range(9)
        .map((i) => gate(190 + i * 152, 520, 150, 108, i % 2 ? "#6d8a7d" : night))
        .join("");
      const dots = range(9)
        .map((i) => disc(190 + i * 152, 470, 17, red))
        .join("");
      const load = range(24)
        .map((i) => disc(628 + (i % 8) * 49, 966 + Math.floor(i / 8) * 49, 17, red))
        .join("");
      return `${rect(0, 520, WIDTH, 8, night)}${many}${dots}${rect(0, 1090, WIDTH, 8, night)}${gate(800, 1090, 190, 540, night)}${gate(800, 1090, 190, 470, yellow)}${load}`;
    },
  },
  // Many lines, one slit, and bundles behind it.
  "one-door-for-writes": {
    file: heroImagePath("one-door-for-writes"),
    ground: ink,
    draw: () => {
      const colors = [red, yellow, sage, "#5d86bf", paper];
      const random = seeded(5);
      const lines = range(34).map((i) => {
        const y = 60 + i * 33 + random() * 12;
        const bundle = 420 + Math.floor(i / 7) * 90;
        const end = bundle + (i % 7) * 9;
        return path(
          `M-10 ${roundToTenth(y)}C420 ${roundToTenth(y)} 560 ${roundToTenth(560 + i * 2.4)} 780 ${roundToTenth(560 + i * 2.4)}S1120 ${roundToTenth(end)} 1610 ${roundToTenth(end)}`,
          colors[Math.floor(random() * 5)] as string,
          5,
        );
      });
      return `${lines.join("")}${rect(768, 0, 44, 548, "#f4efe4")}${rect(768, 652, 44, 548, "#f4efe4")}${range(
        5,
      )
        .map((i) => disc(1440, 447 + i * 90, 30, ink, `stroke="${paper}" stroke-width="7"`))
        .join("")}`;
    },
  },
  // Three kinds of marks in one column, sorted by kind and not by age.
  "three-dates-in-one-column": {
    file: publicImagePath("three-dates-in-one-column"),
    ground: "#f0e3c8",
    draw: () => {
      const cell = (i: number) => {
        const x = 560 + (i % 4) * 160;
        const y = 170 + Math.floor(i / 4) * 172;
        if (i < 8) return rect(x - 52, y - 52, 104, 104, i % 3 === 1 ? night : blue);
        if (i < 15) return disc(x, y, 56, i % 3 === 1 ? "#a93421" : red);
        return shape(
          [
            [x, y - 60],
            [x + 64, y + 50],
            [x - 64, y + 50],
          ],
          i % 3 === 1 ? "#c58d17" : yellow,
        );
      };
      return `${rect(440, 0, 720, HEIGHT, "#fbf6e9")}${range(24).map(cell).join("")}${line(
        [
          [330, 90],
          [330, 1110],
        ],
        ink,
        8,
      )}${shape(
        [
          [330, 1150],
          [300, 1090],
          [360, 1090],
        ],
        ink,
      )}${range(7)
        .map((i) =>
          line(
            [
              [300, 150 + i * 150],
              [330, 150 + i * 150],
            ],
            ink,
            8,
          ),
        )
        .join("")}`;
    },
  },
  // The outline of a missing sheet of paper, and the two shadows it casts.
  "no-file-means-two-things": {
    file: publicImagePath("no-file-means-two-things"),
    ground: sage,
    draw: () => {
      const sheet = (x: number, y: number): readonly Point[] => [
        [x, y],
        [x + 330, y],
        [x + 440, y + 110],
        [x + 440, y + 600],
        [x, y + 600],
      ];
      return `${shape(sheet(330, 430), "#b9402d")}${shape(sheet(830, 430), night)}${shape(sheet(580, 260), sage)}${line([...sheet(580, 260), [580, 260]], paper, 9, 'stroke-dasharray="34 24"')}${line(
        [
          [910, 260],
          [910, 370],
          [1020, 370],
        ],
        paper,
        9,
        'stroke-dasharray="34 24"',
      )}`;
    },
  },
  // Strips that leave one block and arrive in another, in the same order.
  "moving-in-from-postgres": {
    file: heroImagePath("moving-in-from-postgres"),
    ground: paper,
    draw: () => {
      const colors = [blue, night, "#4a6ea6", blue, sage, night];
      const strips = range(18).map((i) => {
        const t = Math.min(1, Math.max(0, (i - 4) / 9));
        const eased = t * t * (3 - 2 * t);
        return rect(
          180 + (1 - eased) * 700,
          132 + i * 53,
          540,
          40,
          t === 0 || t === 1 ? (colors[i % 6] as string) : i % 2 ? red : yellow,
        );
      });
      return `${line(
        [
          [160, 1090],
          [740, 1090],
        ],
        ink,
        9,
      )}${line(
        [
          [860, 108],
          [1440, 108],
        ],
        ink,
        9,
      )}${strips.join("")}${rect(880, 660, 540, 410, "none", `stroke="${clay}" stroke-width="5" stroke-dasharray="14 14"`)}${rect(180, 132, 540, 250, "none", `stroke="${clay}" stroke-width="5" stroke-dasharray="14 14"`)}`;
    },
  },
  // A path that turns through a fence three times. The fourth turn ends at the fence.
  "fetching-a-strangers-link": {
    file: heroImagePath("fetching-a-strangers-link"),
    ground: "#d9dfe8",
    draw: () => {
      const bars = (x: number, gap: number) =>
        range(30)
          .filter((i) => Math.abs(i * 41 - gap) > 62)
          .map((i) => rect(x, i * 41, 50, 27, night))
          .join("");
      const way: Point[] = [
        [-20, 247],
        [420, 247],
        [420, 820],
        [790, 820],
        [790, 410],
        [1150, 410],
      ];
      const turns = (
        [
          [420, 247],
          [790, 820],
          [790, 410],
        ] as const
      ).map(([x, y]) => disc(x, y, 30, yellow, `stroke="${ink}" stroke-width="9"`));
      return `${bars(270, 247)}${bars(600, 820)}${bars(960, 410)}${bars(1270, 2000)}${line(way, red, 20)}${line(
        [
          [1150, 410],
          [1226, 410],
        ],
        red,
        20,
      )}${line(
        [
          [1232, 350],
          [1232, 470],
        ],
        red,
        26,
      )}${turns.join("")}${disc(1450, 690, 70, "#f4efe4")}`;
    },
  },
  // A floor plan with doors that open one way.
  "a-tour-of-the-code": {
    file: heroImagePath("a-tour-of-the-code"),
    ground: "#f4efe4",
    draw: () => {
      const wall = 16;
      // x, width, floor, rooms in the column, doors in its left wall
      const columns: readonly [number, number, string, number, readonly number[]][] = [
        [120, 250, "#e7c9bd", 1, []],
        [370, 190, "#f1dda8", 3, [280, 860]],
        [560, 420, "#cfdcd4", 7, [172, 558, 943]],
        [980, 300, "#c9d6e8", 5, [172, 558, 943]],
        [1280, 200, "#ddd0b8", 3, [200, 558, 930]],
      ];
      const floors = columns.map(([x, w, fill]) => rect(x, 150, w, 900, fill)).join("");
      const inner = columns
        .map(([x, w, , rooms]) =>
          range(rooms - 1)
            .map((i) => rect(x, 145 + ((i + 1) * 900) / rooms, w, 10, ink))
            .join(""),
        )
        .join("");
      const walls = columns
        .slice(1)
        .map(([x]) => rect(x - wall / 2, 150, wall, 900, ink))
        .join("");
      const door = (x: number, y: number, fill: string) =>
        `${rect(x - wall / 2 - 1, y, wall + 2, 84, fill)}${line(
          [
            [x, y],
            [x + 78, y + 30],
          ],
          red,
          9,
        )}${path(`M${x} ${y + 84}A84 84 0 0 0 ${x + 78} ${y + 30}`, red, 4)}`;
      const doors = columns
        .flatMap(([x, , fill, , ys]) => ys.map((y) => door(x, y, fill)))
        .join("");
      return `${floors}${inner}${walls}${rect(120, 150, 1360, 900, "none", `stroke="${ink}" stroke-width="26"`)}${doors}${line(
        [
          [40, 600],
          [200, 600],
        ],
        red,
        14,
      )}${shape(
        [
          [246, 600],
          [186, 564],
          [186, 636],
        ],
        red,
      )}`;
    },
  },
  // Twenty-four strips from night to night, with the sun in the middle one.
  "a-day-is-not-a-moment": {
    file: publicImagePath("a-day-is-not-a-moment"),
    ground: night,
    draw: () => {
      const shades = [
        night,
        "#1f3a5c",
        "#31557f",
        "#5b82ab",
        "#93b0cb",
        "#c6d5df",
        "#e9e3d3",
        "#f4e3b5",
      ];
      const strips = range(24).map((hour) => {
        const light = Math.max(0, Math.min(7, Math.round(8.4 - Math.abs(hour - 11.5) * 0.86)));
        return rect(80 + hour * 60, 150, 61, 900, shades[light] as string);
      });
      const hours = range(25)
        .map((hour) =>
          line(
            [
              [80 + hour * 60, 1050],
              [80 + hour * 60, hour % 6 === 0 ? 1110 : 1076],
            ],
            paper,
            4,
          ),
        )
        .join("");
      return `${strips.join("")}${hours}${line(
        [
          [800, 150],
          [800, 1050],
        ],
        ink,
        5,
      )}${disc(800, 470, 150, yellow)}${disc(800, 470, 18, ink)}`;
    },
  },
  // Two arrows in a ring, each waiting for the other, with a keyhole in the middle.
  "one-key-one-producer": {
    file: publicImagePath("one-key-one-producer"),
    ground: "#e6d9c3",
    draw: () => {
      const half = (from: number, color: string) => {
        const [x, y] = onCircle(800, 600, 400, from + 0.405);
        const turn = (from + 0.405) * 360 + 90;
        return `${arc(800, 600, 400, from, from + 0.4, color, 96)}<g transform="translate(${roundToTenth(x)} ${roundToTenth(y)}) rotate(${roundToTenth(turn)})">${shape(
          [
            [-20, -120],
            [110, 0],
            [-20, 120],
          ],
          color,
        )}</g>`;
      };
      return `${half(0.03, red)}${half(0.53, night)}${disc(800, 545, 92, ink)}${shape(
        [
          [758, 590],
          [842, 590],
          [884, 790],
          [716, 790],
        ],
        ink,
      )}`;
    },
  },
  // A ring of days, mostly used up, and the start of a second ring.
  "the-session-that-renews-itself": {
    file: publicImagePath("the-session-that-renews-itself"),
    ground: "#efe2d2",
    draw: () => {
      const ticks = (
        r: number,
        length: number,
        from: number,
        to: number,
        color: string,
        width: number,
      ) =>
        range(Math.round((to - from) * 120))
          .map((i) => {
            const turn = from - 0.25 + i / 120;
            return line(
              [onCircle(800, 600, r, turn), onCircle(800, 600, r + length, turn)],
              color,
              width,
            );
          })
          .join("");
      return `${ticks(250, 120, 0, 0.52, ink, 11)}${ticks(250, 120, 0.52, 1, clay, 11)}${ticks(390, 96, 0.52, 0.98, red, 11)}${disc(800, 600, 130, yellow)}${disc(...onCircle(800, 600, 500, 0.27), 20, red)}`;
    },
  },
  // A voice track that breaks off and resumes, and the parts in which it is uploaded.
  "a-recording-that-survives": {
    file: publicImagePath("a-recording-that-survives"),
    ground: "#dfe5dc",
    draw: () => {
      const random = seeded(23);
      const bars = range(56)
        .map((i) => {
          const x = 150 + i * 23.7;
          const loud =
            (0.25 + 0.75 * Math.abs(Math.sin(i * 0.21) * Math.sin(i * 0.093 + 0.6))) *
            (0.55 + random() * 0.45);
          return i > 32 && i < 37
            ? ""
            : line(
                [
                  [x, 470 - 250 * loud],
                  [x, 470 + 250 * loud],
                ],
                i <= 32 ? ink : red,
                11,
                'stroke-linecap="round"',
              );
        })
        .join("");
      const edge = range(13).map((i): Point => [918 + (i % 2) * 26, 130 + i * 57]);
      const torn = shape(
        [...edge, ...edge.map(([x, y]): Point => [x + 62, y + 12]).reverse()],
        paper,
      );
      const blocks = range(4)
        .map((i) =>
          i < 3
            ? rect(150 + i * 336, 930, 290, 120, i === 1 ? yellow : blue)
            : rect(
                153 + i * 336,
                933,
                284,
                114,
                "none",
                `stroke="${ink}" stroke-width="6" stroke-dasharray="18 14"`,
              ),
        )
        .join("");
      return `${bars}${torn}${blocks}`;
    },
  },
};

/** Draws one image and returns its size in bytes. Throws if it exceeds MAX_BYTES. */
async function renderPicture(
  name: string,
  { file, ground, draw: content }: Picture,
): Promise<number> {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" viewBox="0 0 ${WIDTH} ${HEIGHT}">${rect(0, 0, WIDTH, HEIGHT, ground)}${content()}</svg>`;
  const target = join(import.meta.dirname, "..", file);
  if (!existsSync(dirname(target))) mkdirSync(dirname(target), { recursive: true });
  const { size } = await sharp(Buffer.from(svg))
    .png({ palette: true, colours: 32, effort: 10, compressionLevel: 9, dither: 0 })
    .toFile(target);
  if (size > MAX_BYTES) throw new Error(`${name}: ${size} bytes, at most ${MAX_BYTES}`);
  return size;
}

const requestedNames = process.argv.slice(2);
const unknownNames = requestedNames.filter((name) => !(name in pictures));
if (unknownNames.length > 0) {
  console.error(
    `Unknown image: ${unknownNames.join(", ")}. Available: ${Object.keys(pictures).join(", ")}`,
  );
  process.exit(1);
}
for (const [name, picture] of Object.entries(pictures)) {
  if (requestedNames.length > 0 && !requestedNames.includes(name)) continue;
  console.log(`${String(await renderPicture(name, picture)).padStart(7)} bytes  ${picture.file}`);
}
