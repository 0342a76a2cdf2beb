import { connect, init, use, type EChartsCoreOption, type EChartsType } from "echarts/core";
import { CustomChart, LineChart } from "echarts/charts";
import { DataZoomComponent, GridComponent, MarkLineComponent, MarkPointComponent, TooltipComponent } from "echarts/components";
import { SVGRenderer } from "echarts/renderers";

use([CustomChart, LineChart, DataZoomComponent, GridComponent, MarkLineComponent, MarkPointComponent, TooltipComponent, SVGRenderer]);

interface Lane {
  label: string;
  unit: string;
  note: string;
  t: number[];
  min: number[];
  mean: number[];
  max: number[];
  average: string;
  p99: string;
  window: string;
  mean_at: number;
  peak: { value: number; t: number };
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

function options(lane: Lane, last: boolean): EChartsCoreOption {
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
  const marks = [
    ...lane.lines.map((l) => ({ value: l.value, head: `${digits(l.value)} ${lane.unit}`, words: l.label, kind: l.limit ? "limit" : "envelope" })),
    { value: lane.mean_at, head: `mean ${lane.average} ${lane.unit}`, words: `P99 ${lane.p99} ${lane.unit}${lane.window ? ` (${lane.window})` : ""}`, kind: "mean" },
  ];
  const labels = spread(marks.map((m) => y(m.value)), 32);
  const text = { color: token("--ink2"), fontSize: 12.5 };
  const wide = innerWidth > 860;
  const band = token("--band");
  const over = token("--cat4");
  const passed = lane.lines.filter((l) => l.limit && l.value < Math.max(...lane.max)).map((l) => l.value).sort((p, q) => p - q)[0];
  const step = { type: "line", step: "end", showSymbol: false, silent: true, animation: false };
  return {
    animation: false,
    textStyle: { fontFamily: getComputedStyle(document.body).fontFamily },
    grid: { left: 58, right: wide ? 200 : 16, top: 34, bottom: last ? 58 : 30 },
    tooltip: {
      trigger: "axis",
      confine: true,
      formatter: (points: { dataIndex: number }[]) => {
        const i = Math.min(points[0].dataIndex, lane.t.length - 1);
        return `${digits(lane.t[i])} s<br>mean ${digits(lane.mean[i])} ${lane.unit}<br>` +
          `${digits(lane.min[i])} – ${digits(lane.max[i])} ${lane.unit}`;
      },
    },
    xAxis: { type: "value", min: 0, max: end, splitNumber: wide ? 10 : 4, axisLabel: { ...text, formatter: (v: number) => `${digits(v)} s` },
      splitLine: { show: false }, axisPointer: { show: true } },
    yAxis: { type: "value", min: axis.min, max: axis.max, interval: axis.step,
      name: wide ? `${lane.label}, ${lane.unit}   ${lane.note}` : `${lane.label}, ${lane.unit} · peak ${digits(lane.peak.value)} at ${digits(lane.peak.t)} s`, nameTextStyle: { ...text, align: "left", fontWeight: 600 },
      axisLabel: text, splitLine: { lineStyle: { color: token("--rule") } } },
    dataZoom: [
      { type: "inside", zoomOnMouseWheel: "ctrl", moveOnMouseWheel: false },
      ...(last ? [{ type: "slider", height: 18, bottom: 6, showDetail: false, brushSelect: false, showDataShadow: false,
        borderColor: token("--rule2"), fillerColor: token("--surface") }] : []),
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
          const bar = (top: number, bottom: number, fill: string): object => ({
            type: "rect", shape: { x: left, y: top, width: right - left + 0.3, height: Math.max(bottom - top, 0.5) }, style: { fill },
          });
          if (passed === undefined || api.value(2) <= passed) return bar(a[1], b[1], band);
          const limit = Math.min(api.coord([0, passed])[1], b[1]);
          return { type: "group", children: [bar(limit, b[1], band), bar(a[1], limit, over)] };
        },
      },
      {
        ...step, data: at(lane.mean), lineStyle: { width: wide ? 1.6 : 1, color: token("--cat1") }, z: 5,
        markLine: {
          silent: true, symbol: "none", animation: false,
          data: marks.map((m, i) => ({
            yAxis: m.value,
            lineStyle: m.kind === "mean" ? { color: "transparent", width: 0 }
              : { color: token(m.kind === "limit" ? "--cat4" : "--ink2"), type: m.kind === "limit" ? "dashed" : "dotted", width: 1.5 },
            label: { ...text, show: wide || m.kind !== "mean", position: wide ? "end" : "insideEndTop", width: 185, overflow: "truncate",
              lineHeight: 15, offset: wide ? [4, labels[i] - y(m.value)] : [0, 0],
              color: token(m.kind === "limit" ? "--violated" : m.kind === "mean" ? "--met" : "--ink2"),
              formatter: wide ? `${m.head}\n${m.words}` : `${m.head} ${m.words}` },
          })),
        },
        markPoint: {
          silent: true, animation: false, symbol: "circle", symbolSize: 8,
          data: [{ coord: [lane.peak.t, lane.peak.value], itemStyle: { color: "transparent", borderColor: token("--cat4"), borderWidth: 2 },
            label: { ...text, show: wide, color: token("--ink"), fontWeight: 650, position: lane.peak.t > end * 0.6 ? "left" : "right",
              textBorderColor: token("--bg"), textBorderWidth: 3,
              formatter: `peak ${digits(lane.peak.value)} ${lane.unit} at ${digits(lane.peak.t)} s` } }],
        },
      },
    ],
  };
}

/** Puts charts that zoom and share one cursor in place of the drawn lanes; paper keeps the drawn ones. Returns a
 * function that draws and sizes what is visible. */
export function enhanceCharts(): () => void {
  const charts = new Map<HTMLElement, EChartsType>();
  const zoomOf = (chart: EChartsType): { start: number; end: number } =>
    (chart.getOption() as { dataZoom: { start: number; end: number }[] }).dataZoom[0];
  const isLast = (figure: HTMLElement): boolean => {
    const figures = figure.closest("section")!.querySelectorAll("figure.chart");
    return figures[figures.length - 1] === figure;
  };
  const follow = (chart: EChartsType): void => {
    const zoom = zoomOf(chart);
    for (const other of charts.values()) {
      const own = zoomOf(other);
      if (other !== chart && (own.start !== zoom.start || own.end !== zoom.end)) {
        other.dispatchAction({ type: "dataZoom", start: zoom.start, end: zoom.end });
      }
    }
  };
  const ensure = (figure: HTMLElement): void => {
    const drawn = figure.querySelector<HTMLElement>(".drawn")!;
    const live = figure.querySelector<HTMLElement>(".live")!;
    let chart = charts.get(figure);
    if (!chart) {
      const source = document.getElementById(figure.dataset.chart!);
      if (!source || drawn.offsetWidth === 0) return;
      const lane = JSON.parse(source.textContent!) as Lane;
      live.hidden = false;
      figure.classList.add("is-live");
      live.tabIndex = 0;
      live.setAttribute("role", "group");
      live.setAttribute("aria-label", `${lane.label}, ${lane.unit}, over time. + and − zoom, 0 shows all, arrows move the cursor.`);
      chart = init(live, undefined, { renderer: "svg", height: isLast(figure) ? 300 : 272 });
      chart.group = "time";
      chart.setOption(options(lane, isLast(figure)));
      charts.set(figure, chart);
      chart.on("datazoom", () => follow(chart!));
      enhanceKeys(live, chart, lane);
    }
    if (live.offsetWidth > 0) chart.resize();
  };
  const all = (): void => {
    document.querySelectorAll<HTMLElement>("figure.chart").forEach(ensure);
    connect("time");
  };
  const redraw = (): void => {
    for (const [figure, chart] of charts) {
      const zoom = zoomOf(chart);
      const lane = JSON.parse(document.getElementById(figure.dataset.chart!)!.textContent!) as Lane;
      chart.setOption(options(lane, isLast(figure)), true);
      chart.dispatchAction({ type: "dataZoom", start: zoom.start, end: zoom.end });
    }
  };
  let narrow = innerWidth <= 860;
  addEventListener("resize", () => {
    all();
    if (narrow !== innerWidth <= 860) {
      narrow = !narrow;
      redraw();
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  return all;
}

/** Arrows move the cursor by a column (Shift: ten), + and − zoom about it, 0 shows all. */
function enhanceKeys(host: HTMLElement, chart: EChartsType, lane: Lane): void {
  let at = 0;
  const zoom = (factor: number): void => {
    const now = (chart.getOption() as { dataZoom: { start: number; end: number }[] }).dataZoom[0];
    const half = Math.min(50, ((now.end - now.start) / 2) * factor);
    const centre = Math.min(100 - half, Math.max(half, (100 * at) / Math.max(1, lane.t.length - 1)));
    chart.dispatchAction({ type: "dataZoom", start: centre - half, end: centre + half });
  };
  host.addEventListener("keydown", (event) => {
    const step = event.shiftKey ? 10 : 1;
    if (event.key === "ArrowRight") at = Math.min(lane.t.length - 1, at + step);
    else if (event.key === "ArrowLeft") at = Math.max(0, at - step);
    else if (event.key === "+") return zoom(0.5);
    else if (event.key === "-") return zoom(2);
    else if (event.key === "0") return void chart.dispatchAction({ type: "dataZoom", start: 0, end: 100 });
    else return;
    event.preventDefault();
    chart.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: at });
  });
}
