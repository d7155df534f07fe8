// States over time: one lane each, a bar for as long as a state lasted.

import { useState } from "preact/hooks";
import { Canvas } from "./canvas";
import { lasting, moment } from "./format";
import { colour } from "./theme";

export interface Span {
  lane: string;
  state: string;
  from: number;
  to: number;
}

interface Options {
  label: string;
  spans: Span[];
  from: number;
  to: number;
  /** The name of a style sheet colour for each state; others are grey. */
  colours: Record<string, string>;
  onPress?: (span: Span) => void;
}

const LANE_PX = 24;
const AXIS_PX = 20;
const NAME_PX = 120;

export function Timeline({ label, spans, from, to, colours, onPress }: Options) {
  const [pointed, setPointed] = useState<Span | null>(null);
  const lanes = [...new Set(spans.map((span) => span.lane))];
  const states = [...new Set(spans.map((span) => span.state))].sort();
  const height = Math.max(1, lanes.length) * LANE_PX + AXIS_PX;
  const scale = (width: number) => (at: number) =>
    NAME_PX + ((Math.min(to, Math.max(from, at)) - from) / Math.max(1, to - from)) * (width - NAME_PX - 8);

  let drawnWidth = 0;
  const draw = (context: CanvasRenderingContext2D, width: number) => {
    drawnWidth = width;
    const x = scale(width);
    context.font = "12px system-ui";
    context.textBaseline = "middle";
    lanes.forEach((lane, i) => {
      context.fillStyle = colour("--soft");
      context.fillText(lane, 0, i * LANE_PX + LANE_PX / 2, NAME_PX - 8);
    });
    for (const span of spans) {
      const left = x(span.from);
      context.fillStyle = colour(colours[span.state] ?? "--neutral");
      context.fillRect(left, lanes.indexOf(span.lane) * LANE_PX + 3, Math.max(1, x(span.to) - left), LANE_PX - 6);
    }
    context.fillStyle = colour("--soft");
    const ticks = Math.max(2, Math.floor((width - NAME_PX) / 130));
    for (let i = 0; i < ticks; i += 1) {
      const at = from + ((to - from) * i) / ticks;
      context.fillText(moment(new Date(at).toISOString()), x(at), height - AXIS_PX / 2, 120);
    }
  };
  const spanAt = (place: { x: number; y: number }): Span | null => {
    const lane = lanes[Math.floor(place.y / LANE_PX)];
    const x = scale(drawnWidth);
    return spans.find((span) => span.lane === lane && x(span.from) <= place.x && place.x <= Math.max(x(span.from) + 2, x(span.to))) ?? null;
  };
  const said = pointed
    ? `${pointed.lane} ${pointed.state} from ${moment(new Date(pointed.from).toISOString())}, ${lasting(pointed.to - pointed.from)}`
    : "";
  return (
    <div>
      <Canvas
        label={label}
        told={`${lanes.length} lanes, ${spans.length} spans.`}
        height={height}
        draw={draw}
        drawnFrom={spans}
        onPoint={(place) => setPointed(place && spanAt(place))}
        onPress={(place) => {
          const span = spanAt(place);
          if (span) onPress?.(span);
        }}
      />
      <p class="legend">
        {states.map((state) => (
          <span><i style={{ background: `var(${colours[state] ?? "--neutral"})` }} />{state}</span>
        ))}
        <span class="soft">{said}</span>
      </p>
    </div>
  );
}
