import { init, use, type EChartsCoreOption, type EChartsType } from "echarts/core";
import { CustomChart, LineChart } from "echarts/charts";
import { DataZoomComponent, GridComponent, MarkLineComponent, TooltipComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

use([CustomChart, LineChart, DataZoomComponent, GridComponent, MarkLineComponent, TooltipComponent, SVGRenderer]);

interface Lane {
  label: string;
  unit: string;
  note: string;
  t: number[];
  min: number[];
  mean: number[];
  max: number[];
  lines: { label: string; value: number; limit: boolean }[];
}

const token = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const digits = (v: number): string => Number(v.toPrecision(4)).toString();

/** Ends and step of an axis in steps of 1, 2 or 5. */
function niceAxis(low: number, high: number): { min: number; max: number; step: number } {
  const raw = (high - low || 1) / 4;
  const decade = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((s) => s * decade >= raw * (1 - 1e-9))! * decade;
  return { min: Math.floor(low / step) * step, max: Math.ceil(high / step) * step, step };
}

/** Shifts labels down so that none covers the one above. */
function spread(ys: number[], distance: number): number[] {
  const order = ys.map((_, i) => i).sort((a, b) => ys[a] - ys[b]);
  const placed = [...ys];
  for (let i = 1; i < order.length; i++) {
    placed[order[i]] = Math.max(placed[order[i]], placed[order[i - 1]] + distance);
  }
  return placed;
}

function options(lane: Lane): EChartsCoreOption {
  const end = lane.t.length > 1 ? lane.t[lane.t.length - 1] + lane.t[1] - lane.t[0] : 1;
  const at = (values: number[]): number[][] => [
    ...lane.t.map((t, i) => [t, values[i]]),
    [end, values[values.length - 1]],
  ];
  const values = [...lane.min, ...lane.max, ...lane.lines.map((l) => l.value)];
  const low = Math.min(...values);
  const high = Math.max(...values);
  const axis = niceAxis(low, high);
  const y = (v: number): number => 34 + (208 * (axis.max - v)) / (axis.max - axis.min);
  const labels = spread(lane.lines.map((l) => y(l.value)), 32);
  const text = { color: token("--ink2"), fontSize: 12.5 };
  const step = { type: "line", step: "end", showSymbol: false, silent: true, animation: false };
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 58, right: innerWidth > 860 ? 200 : 16, top: 34, bottom: 58 },
    tooltip: {
      trigger: "axis",
      confine: true,
      formatter: (points: { dataIndex: number }[]) => {
        const i = Math.min(points[0].dataIndex, lane.t.length - 1);
        return `${digits(lane.t[i])} s<br>mean ${digits(lane.mean[i])} ${lane.unit}<br>` +
          `${digits(lane.min[i])} – ${digits(lane.max[i])} ${lane.unit}`;
      },
    },
    xAxis: { type: "value", min: 0, max: end, axisLabel: { ...text, formatter: (v: number) => `${digits(v)} s` },
      splitLine: { show: false }, axisPointer: { show: true } },
    yAxis: { type: "value", min: axis.min, max: axis.max, interval: axis.step,
      name: `${lane.label}, ${lane.unit}   ${lane.note}`, nameTextStyle: { ...text, align: "left", fontWeight: 600 },
      axisLabel: text, splitLine: { lineStyle: { color: token("--rule") } } },
    dataZoom: [
      { type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false },
      { type: "slider", height: 18, bottom: 6, showDetail: false, brushSelect: false },
    ],
    series: [
      { ...step, data: at(lane.max), lineStyle: { width: 0.6, color: token("--band") } },
      { ...step, data: at(lane.min), lineStyle: { width: 0.6, color: token("--band") } },
      {
        type: "custom", silent: true, animation: false, data: lane.t.map((t, i) => [t, lane.min[i], lane.max[i]]),
        encode: { x: 0, y: [1, 2] },
        renderItem: (
          params: { dataIndex: number; coordSys: { x: number; width: number; y: number; height: number } },
          api: { coord(p: number[]): number[]; value(i: number): number },
        ) => {
          const next = lane.t[params.dataIndex + 1] ?? end;
          const a = api.coord([api.value(0), api.value(2)]);
          const b = api.coord([next, api.value(1)]);
          const left = Math.max(a[0], params.coordSys.x);
          const right = Math.min(b[0], params.coordSys.x + params.coordSys.width);
          if (right <= left) return null;
          return { type: "rect", shape: { x: left, y: a[1], width: right - left + 0.3, height: Math.max(b[1] - a[1], 0.5) },
            style: { fill: token("--band") } };
        },
      },
      {
        ...step, data: at(lane.mean), lineStyle: { width: 1.6, color: token("--cat1") }, z: 5,
        markLine: {
          silent: true, symbol: "none", animation: false,
          data: lane.lines.map((l, i) => ({
            yAxis: l.value,
            lineStyle: { color: token(l.limit ? "--cat4" : "--ink2"), type: l.limit ? "dashed" : "dotted", width: 1.5 },
            label: { ...text, color: token(l.limit ? "--violated" : "--ink"),
              position: innerWidth > 860 ? "end" : "insideEndTop", width: 180, overflow: "truncate", lineHeight: 15, offset: [0, labels[i] - y(l.value)],
              formatter: `${digits(l.value)} ${lane.unit}\n${l.label}` },
          })),
        },
      },
    ],
  };
}

/** Replaces the drawn lanes with charts that zoom and share one cursor. Returns a function that sizes those in view. */
export function enhanceCharts(): () => void {
  const charts = new Map<HTMLElement, EChartsType>();
  const ensure = (figure: HTMLElement): void => {
    const host = figure.querySelector<HTMLElement>(".scroll")!;
    if (host.offsetWidth === 0) return;
    let chart = charts.get(figure);
    if (!chart) {
      const source = document.getElementById(figure.dataset.chart!);
      if (!source) return;
      const lane = JSON.parse(source.textContent!) as Lane;
      host.replaceChildren();
      host.style.height = "300px";
      chart = init(host, undefined, { renderer: "svg" });
      chart.group = "time";
      chart.setOption(options(lane));
      charts.set(figure, chart);
      const others = charts;
      chart.on("datazoom", () => {
        const zoom = (chart!.getOption() as { dataZoom: { start: number; end: number }[] }).dataZoom[0];
        for (const other of others.values()) {
          const own = (other.getOption() as { dataZoom: { start: number; end: number }[] }).dataZoom[0];
          if (other !== chart && (own.start !== zoom.start || own.end !== zoom.end)) {
            other.dispatchAction({ type: "dataZoom", start: zoom.start, end: zoom.end });
          }
        }
      });
    }
    chart.resize();
  };
  const all = (): void => document.querySelectorAll<HTMLElement>("figure.chart").forEach(ensure);
  addEventListener("resize", all);
  return all;
}
