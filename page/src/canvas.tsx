// A canvas as wide as its place, drawn again when its data, size or theme changes.

import { useEffect, useRef } from "preact/hooks";
import { savePicture } from "./save";
import { useTheme } from "./theme";

export interface Place {
  x: number;
  y: number;
}

interface Options {
  label: string;
  /** What a reader who does not see the picture is told. */
  told: string;
  height: number;
  draw: (context: CanvasRenderingContext2D, width: number, height: number) => void;
  /** Anything whose change means that the picture is old. */
  drawnFrom: unknown;
  onPoint?: (place: Place | null) => void;
  onPress?: (place: Place) => void;
  onWheel?: (place: Place, steps: number) => void;
  onDrag?: (by: Place) => void;
}

export function Canvas(options: Options) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const theme = useTheme();
  const dragged = useRef<{ from: Place; isMoved: boolean } | null>(null);
  const kept = useRef(options);
  kept.current = options;

  const paint = () => {
    const element = canvas.current;
    if (element === null) return;
    const width = element.clientWidth;
    const { height, draw } = kept.current;
    element.width = Math.round(width * devicePixelRatio);
    element.height = Math.round(height * devicePixelRatio);
    const context = element.getContext("2d");
    if (context === null || width === 0) return;
    context.scale(devicePixelRatio, devicePixelRatio);
    draw(context, width, height);
  };

  useEffect(() => {
    const asked = requestAnimationFrame(paint);
    return () => cancelAnimationFrame(asked);
  }, [options.drawnFrom, options.height, theme]);

  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const measure = new ResizeObserver(paint);
    measure.observe(element);
    const wheel = (event: WheelEvent) => {
      const { onWheel } = kept.current;
      if (!onWheel) return;
      event.preventDefault();
      onWheel({ x: event.offsetX, y: event.offsetY }, -Math.sign(event.deltaY));
    };
    element.addEventListener("wheel", wheel, { passive: false });
    return () => {
      measure.disconnect();
      element.removeEventListener("wheel", wheel);
    };
  }, []);

  const placeOf = (event: PointerEvent): Place => ({ x: event.offsetX, y: event.offsetY });
  return (
    <figure class="chart">
      <figcaption>
        <span>{options.label}</span>
        <button class="quiet" onClick={() => canvas.current && savePicture(`${options.label}.png`, canvas.current)}>PNG</button>
      </figcaption>
      <canvas
        ref={canvas}
        role="img"
        aria-label={`${options.label}. ${options.told}`}
        style={{ height: `${options.height}px`, touchAction: options.onDrag ? "none" : "auto" }}
        onPointerDown={(event) => {
          dragged.current = { from: placeOf(event), isMoved: false };
        }}
        onPointerMove={(event) => {
          const at = placeOf(event);
          const drag = dragged.current;
          if (drag && options.onDrag && event.buttons === 1) {
            const by = { x: at.x - drag.from.x, y: at.y - drag.from.y };
            if (drag.isMoved || Math.hypot(by.x, by.y) > 4) {
              options.onDrag(by);
              dragged.current = { from: at, isMoved: true };
            }
          } else options.onPoint?.(at);
        }}
        onPointerUp={(event) => {
          if (!dragged.current?.isMoved) options.onPress?.(placeOf(event));
          dragged.current = null;
        }}
        onPointerLeave={() => {
          dragged.current = null;
          options.onPoint?.(null);
        }}
      />
    </figure>
  );
}
