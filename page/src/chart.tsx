// Lines over time, drawn on a canvas by uPlot.

import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { savePicture } from "./save";
import { colour, useTheme } from "./theme";

export interface Series {
  name: string;
  unit: string;
  values: (number | null)[];
  isFilled?: boolean;
  isBars?: boolean;
  isDashed?: boolean;
}

interface Options {
  label: string;
  /** Instants in seconds, ascending. */
  times: number[];
  series: Series[];
  height?: number;
  /** A horizontal line, such as a limit. */
  limits?: { name: string; value: number }[];
}

function plugin(limits: { name: string; value: number }[]): uPlot.Plugin {
  return {
    hooks: {
      draw: (plot) => {
        const { ctx, bbox } = plot;
        ctx.save();
        ctx.strokeStyle = ctx.fillStyle = colour("--bad");
        ctx.setLineDash([6, 4]);
        ctx.font = `${11 * devicePixelRatio}px system-ui`;
        for (const { name, value } of limits) {
          const y = Math.round(plot.valToPos(value, "y", true));
          if (y < bbox.top || y > bbox.top + bbox.height) continue;
          ctx.beginPath();
          ctx.moveTo(bbox.left, y);
          ctx.lineTo(bbox.left + bbox.width, y);
          ctx.stroke();
          ctx.fillText(name, bbox.left + 4, y - 4 * devicePixelRatio);
        }
        ctx.restore();
      },
    },
  };
}

// Steps of the axis in seconds, and how its instants are written: the day where it changes.
const DAY = "\n{YYYY}-{MM}-{DD}";
const CLOCK: uPlot.Axis.TimeValuesConfig = [
  [86_400, "{YYYY}-{MM}-{DD}", null, null, null, null, null, null, 1],
  [60, "{HH}:{mm}", DAY, null, DAY, null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", DAY, null, DAY, null, null, null, 1],
];

function settings(options: Options, width: number): uPlot.Options {
  const units = [...new Set(options.series.map((one) => one.unit))];
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false } };
  return {
    width,
    height: options.height ?? 180,
    cursor: { y: false },
    legend: { live: true },
    plugins: [plugin(options.limits ?? [])],
    scales: Object.fromEntries(units.map((unit, i) => {
      // Bars are read from zero; lines by how they move.
      const isFromZero = options.series.some((one) => one.unit === unit && one.isBars);
      const range = (_: uPlot, low: number, high: number): [number, number] => [Math.min(0, low), high > 0 ? high * 1.05 : 1];
      return [i === 0 ? "y" : `y${i}`, isFromZero ? { range } : {}];
    })),
    axes: [
      { ...axis, values: CLOCK },
      ...units.map((unit, i) => ({
        ...axis,
        scale: i === 0 ? "y" : `y${i}`,
        side: i === 0 ? 3 : 1,
        size: 62,
        grid: i === 0 ? axis.grid : { show: false },
        values: (_: uPlot, ticks: number[]) => ticks.map((tick) => `${tick.toLocaleString("en")} ${unit}`),
      })),
    ],
    series: [
      { value: (_, at) => (at === null ? "–" : new Date(at * 1000).toLocaleString("en-GB")) },
      ...options.series.map((one, i): uPlot.Series => {
        const stroke = colour(`--series-${(i % 6) + 1}`);
        const at = units.indexOf(one.unit);
        return {
          label: one.name,
          scale: at === 0 ? "y" : `y${at}`,
          stroke,
          width: 1.5,
          spanGaps: false,
          points: { show: one.values.length < 3 },
          ...(one.isDashed ? { dash: [6, 4] } : {}),
          ...(one.isFilled ? { fill: stroke + "22" } : {}),
          ...(one.isBars ? { paths: uPlot.paths.bars!({ size: [0.8, 60] }), fill: stroke + "88" } : {}),
          value: (_, value) => (value === null ? "–" : `${value.toLocaleString("en", { maximumFractionDigits: 2 })} ${one.unit}`),
        };
      }),
    ],
  };
}

export function Chart(options: Options) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const theme = useTheme();
  const shape = JSON.stringify([
    theme, options.height, options.limits,
    options.series.map(({ name, unit, isFilled, isBars, isDashed }) => [name, unit, isFilled, isBars, isDashed]),
  ]);

  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const data = () => [options.times, ...options.series.map((one) => one.values)] as uPlot.AlignedData;
    const made = new uPlot(settings(options, element.clientWidth || 600), data(), element);
    plot.current = made;
    const measure = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height: options.height ?? 180 });
    });
    measure.observe(element);
    return () => {
      measure.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape]);

  useEffect(() => {
    plot.current?.setData([options.times, ...options.series.map((one) => one.values)] as uPlot.AlignedData);
  }, [options.times, options.series]);

  const told = options.series
    .map((one) => {
      const last = one.values.findLast((value) => value !== null);
      return last === undefined || last === null ? `${one.name}: none` : `${one.name}: ${last.toLocaleString("en")} ${one.unit}`;
    })
    .join(", ");
  return (
    <figure class="chart">
      <figcaption>
        <span>{options.label}</span>
        <button class="quiet" onClick={() => plot.current && savePicture(`${options.label}.png`, plot.current.ctx.canvas)}>PNG</button>
      </figcaption>
      <div ref={box} role="img" aria-label={`${options.label}. Latest values: ${told}`} />
    </figure>
  );
}
