// The parts of ECharts that the patient chart draws with, and nothing else: the whole library is four times the size.
import * as core from "echarts/core";
import { CustomChart, LineChart, ScatterChart } from "echarts/charts";
import {
  AxisPointerComponent,
  DataZoomComponent,
  GridComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TitleComponent,
  TooltipComponent,
} from "echarts/components";
import { CanvasRenderer } from "echarts/renderers";

core.use([
  AxisPointerComponent, CanvasRenderer, CustomChart, DataZoomComponent, GridComponent, LineChart, MarkAreaComponent,
  MarkLineComponent, ScatterChart, TitleComponent, TooltipComponent,
]);

// The page's own scripts are plain files, not modules, so the library is handed to them by name.
globalThis.echarts = core;
